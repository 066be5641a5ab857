"""Blueprint `account`: sign-in, and what people do with their own shares and tokens."""

from app.account import sign_in
from app.account.blueprint import bp

__all__ = ["bp", "sign_in"]

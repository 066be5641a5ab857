"""Blueprint `account`: sign-in, and what people do with their own shares and tokens."""

from app.account import manage, shares, sign_in, tokens
from app.account.blueprint import bp

__all__ = ["bp", "manage", "shares", "sign_in", "tokens"]

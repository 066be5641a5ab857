"""Texts of sessions that have no secret, though much in them looks like one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from random import Random

from tests.redaction.kinds import ALNUM, BASE64, DIGITS, HEX, LOWER, URL_SAFE, pick, uuid


def git(random: Random) -> str:
    commit = pick(random, HEX, 40)
    return random.choice(
        [
            f"commit {commit}\nAuthor: Ada <ada@example.com>\n\n    Rotate the token of the test server\n",
            f"index {commit[:7]}..{pick(random, HEX, 7)} 100644\n--- a/src/token.ts\n+++ b/src/token.ts\n",
            f"HEAD is now at {commit[:10]} Hash passwords with argon2\n",
            f"git+https://github.com/pallets/flask.git@{commit}#egg=flask",
            f"* [new branch] secret-rotation -> origin/secret-rotation\n   {commit[:9]}..{commit[9:18]} main",
        ]
    )


def checksum(random: Random) -> str:
    digest = pick(random, HEX, 64)
    return random.choice(
        [
            f"{digest}  dist/app-1.4.2.tar.gz",
            f"    --hash=sha256:{digest} \\\n    --hash=sha256:{pick(random, HEX, 64)}",
            f"FROM python:3.11-slim@sha256:{digest}",
            f"MD5 (backup.sql) = {pick(random, HEX, 32)}",
            f'"checksum": "{digest}", "size": 48213',
            f'ETag: "{pick(random, HEX, 32)}"\nContent-Length: 512',
        ]
    )


def identifier(random: Random) -> str:
    name = random.choice(["id", "sessionId", "request_id", "trace_id", "userId", "correlation-id"])
    return random.choice(
        [
            f'{{"{name}": "{uuid(random)}", "ok": true}}',
            f"{name}={uuid(random)} level=info msg=started",
            f"GET /items/{uuid(random)}?page=2&sort=name 200 in 12 ms",
            f'"callID": "call_{pick(random, ALNUM, 24)}", "tool": "bash"',
            f'"id": "toolu_01{pick(random, ALNUM, 22)}", "type": "tool_use"',
            f"chatcmpl-{pick(random, ALNUM, 29)}",
            f'"x-request-id": "req_{pick(random, ALNUM, 24)}"',
            f"arn:aws:iam::{pick(random, DIGITS, 12)}:role/deploy-{pick(random, LOWER, 8)}",
        ]
    )


def session(random: Random) -> str:
    end = pick(random, HEX, 12) + pick(random, ALNUM, 14)
    return random.choice(
        [
            f'{{"sessionID": "ses_{end}", "messageID": "msg_{end}"}}',
            f"https://share.example.com/share/{end[-8:]}/m/msg_{end}#prt_{end}",
            f'"id": "prt_{end}", "type": "step-start", "snapshot": "{pick(random, HEX, 40)}"',
            f"opencode --session ses_{end}",
        ]
    )


def image(random: Random) -> str:
    data = base64.b64encode(random.randbytes(random.randrange(300, 3000))).decode()
    return random.choice(
        [
            f"data:image/png;base64,iVBORw0KGgo{data}",
            f"![logo](data:image/webp;base64,UklGR{data})",
            f".icon{{background:url(data:font/woff2;base64,d09GMg{data})}}",
            f'<img alt="" src="data:image/gif;base64,R0lGOD{data}">',
        ]
    )


def minified(random: Random) -> str:
    short = pick(random, "abcdefgh", 2)
    return random.choice(
        [
            f"!function(e,t){{var n={{}};function r(i){{if(n[i])return n[i]}}}}({short},{{key:e.keyCode}});",
            f'const {short}=(0,a.useMemo)(()=>({{token:s.token,key:i.key||"default"}}),[s,i]);',
            f".css-{pick(random, LOWER, 7)}{{margin:0}}.Button_root__{pick(random, ALNUM, 5)}{{color:red}}",
            f'<script src="/assets/index-{pick(random, ALNUM, 8)}.js" integrity="sha384-'
            f'{pick(random, BASE64, 64)}" crossorigin></script>',
            f'"main":"static/js/main.{pick(random, HEX, 8)}.chunk.js","secrets":"static/js/secrets.'
            f'{pick(random, HEX, 20)}.chunk.js"',
        ]
    )


def public_key(random: Random) -> str:
    body = "\n".join(pick(random, BASE64, 64) for _ in range(6))
    return random.choice(
        [
            f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{pick(random, BASE64, 43)} ada@example.com",
            f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{pick(random, BASE64, 340)}= deploy",
            f"RUN gpg --batch --recv-keys {pick(random, HEX, 40).upper()}",
            f"Primary key fingerprint of the signing key {pick(random, HEX, 40).upper()} is fine.",
            f"public key: MFkwEwYHKoZIzj0CAQYI{pick(random, BASE64, 100)}==",
            f'publicKey: "MFkwEwYHKoZIzj0CAQYI{pick(random, BASE64, 100)}=="',
            f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----",
            f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----",
            f"age1{pick(random, 'qpzry9x8gf2tvdw0s3jn54khce6mua7l', 58)}",
            f"github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAA{pick(random, BASE64, 70)}=",
        ]
    )


def lock_file(random: Random) -> str:
    digest = pick(random, BASE64, 86) + "=="
    return random.choice(
        [
            f'"resolved": "https://r.example.org/js-tokens-4.0.0.tgz",\n"integrity": "sha512-{digest}"',
            f'jsonwebtoken@^9.0.0:\n  version "9.0.2"\n  integrity sha512-{digest}',
            f"golang.org/x/oauth2 v0.21.0 h1:{pick(random, BASE64, 43)}=",
            f'name = "secrecy"\nchecksum = "{pick(random, HEX, 64)}"',
            f"keytar@7.9.0:\n  resolution: {{integrity: sha512-{digest}}}\n  engines: {{node: '>=10'}}",
        ]
    )


def code(random: Random) -> str:
    number = random.randrange(100)
    return random.choice(
        [
            f"const token = process.env.GITHUB_TOKEN ?? defaults.token{number}",
            f'api_key = os.environ["OPENAI_API_KEY_{number}"]',
            f"password: string;\n  passwordConfirmation{number}: string;",
            f"if not check_password_hash(user.password_hash, form.password{number}.data):",
            f"access_token = create_access_token(identity=user.id, version={number})",
            f"secret: ${{{{ secrets.NPM_TOKEN_{number} }}}}",
            f'headers={{"Authorization": f"Bearer {{settings.token{number}}}"}}',
            f"curl -H 'Authorization: Bearer $TOKEN{number}' https://api.example.com/v{number}",
            f'<input type="password" name="password{number}" autocomplete="current-password">',
            f"self.secret_key = secret_key or generate_secret_key({number})",
            f"PRIMARY KEY (session_token, user_id_{number}), FOREIGN KEY (api_key_id)",
            f"def verify_token(token: str, max_age_seconds: int = {number}00) -> TokenPayload | None:",
            f"curl -u user:password https://api.example.com/v{number}",
            f'curl -s -u "$USER:$PASS" https://api.example.com/v{number}',
            f"curl https://api.example.com/v{number} \\\n  -u username:api_token",
            f"token=${{INPUT_TOKEN:-$(cat /run/secrets/token_{number})}}",
            f'expect(screen.getByLabelText("Password")).toHaveAttribute("data-token-index", "{number}")',
        ]
    )


def about_passwords(random: Random) -> str:
    number = random.randrange(10, 100)
    return random.choice(
        [
            f"password: 'required|string|min:{number}',",
            f'PASSWORD_REGEX = "^(?=.*[A-Z])(?=.*[0-9]).{{{number},}}$"',
            f'"&password="+encodeURIComponent(p{number})+"&secret="+s{number}.value+"&x=1"',
            f'{{"password": "Contraseña", "hint{number}": "x", "newPassword": "Contraseña?"}}',
            f'password: "generate({number})", secret: "hash(password,salt{number})"',
            f'f"PASSWORD={{password{number}}}&SECRET={{secret}}"',
            f"Send the link for a new password to ada.lovelace{number}@example.com, please.",
            f"The password to postgres@localhost{number} is asked for.",
            f"Hash a password with `bcrypt@5.{number}.0`, check it by `user?.password{number}`.",
            f"interface Login{{password: string;repeated: string;max?: Limit{number}}}",
            f"password: user.password{number},token: user.token",
            f"passwords: bcrypt,scrypt,argon{number}\n",
            f"password: min:8,max:{number}\nrole: admin\n",
            f"e.password=t.value,n.token=t.token{number}\n",
            f"x = isAdmin?passwords.admin{number}:passwords.user",
            f"GET /reset?password&user=ada{number}&next=/home",
            f"printf(&quot;Password is correct{number}.&quot;);",
            f"docker build --secret 'id=npm{number},src=.npmrc' .",
            f"createuser --password-pattern '^[A-Z0-9]{{{number},}}$'",
            f"gh auth --token-permissions 'read:org,write:packages' --days {number}",
            f"ALTER USER ada WITH PASSWORD '${{PASSWORD_{number}}}'",
            f"CREATE ROLE ada WITH LOGIN PASSWORD %s  -- {number}",
            f'{{"password": "Password?", "passwordHint{number}": "Password:"}}',
        ]
    )


def public_name(random: Random) -> str:
    public = pick(random, URL_SAFE, 87)
    return random.choice(
        [
            f"NEXT_PUBLIC_VAPID_KEY=B{public}",
            f"VITE_PUBLIC_MAPS_KEY={public[:32]}",
            f"STRIPE_PUBLISHABLE_KEY=pk_test_{pick(random, ALNUM, 24)}",
            f"RECAPTCHA_SITE_KEY=6L{public[:38]}",
            f"HOT_KEY=ctrl+shift+F{random.randrange(1, 13)}+Alt{random.randrange(9)}",
            f"CACHE_KEY=pip-3.11-linux-{pick(random, HEX, 12)}",
            f"SORT_KEY=created_at_desc_{random.randrange(99)}nd",
        ]
    )


def env_heading(random: Random) -> str:
    number = random.randrange(1000, 9999)
    return random.choice(
        [
            f"# Database credentials\nDB_HOST=localhost\nDB_PORT={number}\n",
            f"# JWT\nJWT_ALGORITHM=RS256\nJWT_LEEWAY={number}\n",
            f"# API keys\nAPP_ENV=production\nAPP_PORT={number}\n",
            f"# Auth\nAUTH_PROVIDER=github\nAUTH_TIMEOUT={number}\n",
            f'# Auth\nAUTH0_AUDIENCE="https://api{number}.example.com"\n',
            f"# Database password:\nDB_HOST=postgres{number}\n",
            f"# Stripe webhook\nSTRIPE_API_VERSION=2024-06-20.v{number}\n",
            f"The store needs its keys, and `S3_BUCKET=shares{number}` names the bucket.\n",
            f"Copy the keys:\n\nS3_BUCKET=shares{number}\n",
        ]
    )


def passing(random: Random) -> str:
    number = random.randrange(1000, 9999)
    return random.choice(
        [
            f"--- PASS: TestParse/key=b,c#{number} (0.00s)\n    --- PASS: TestParse/Empty_{number}!",
            f"{{ pass: {number}, fail: 0, skip: 'pass-through:Mode{number}' }}",
            f"passport: 'X{number}', passenger: 'Ada Lovelace {number}', renderPass: 'shadowMap{number}'",
            f"mysql --protocol=tcp -P {number} -p shop_database_{number}",
            f'mysql -h 127.0.0.1 -u root -p"$MYSQL_ROOT_PASSWORD" shop{number}',
            f"docker login -u ada --password-stdin registry{number}.example.com",
            f"sshpass -f /run/secrets/ssh{number} ssh -p {number} ada@example.com",
            f"- name: API_KEY\n  valueFrom:\n    secretKeyRef:\n      key: shop-api-key-{number}",
            f'{{"name": "max_tokens", "value": "{number}"}}, {{"name": "token_type", "value": "mac"}}',
            f'<input name="password" value="" placeholder="Password" data-id="{number}">',
            f"curl -b cookies.txt -c cookies{number}.txt https://example.com",
            f"https://{pick(random, HEX, 32)}@o{number}.ingest.sentry.io/{number}",
        ]
    )


def typed_code(random: Random) -> str:
    number = random.randrange(100, 1000)
    return random.choice(
        [
            f"interface Login{number} {{ password: string; token?: string | undefined }}",
            f"token: Optional[str] = None  # since 1.{number}",
            f'password: str = "password"\npage: int = {number}',
            f'  api_key: str | None = Field(None, alias="shop-api-key-{number}")',
            f"const apiKey: string = config.shop{number}.apiKey",
            f'const tokenType: string = "urn:ietf:params:oauth:token-type:jwt{number}"',
            f'let secret: String = env::var("SHOP_SECRET_{number}")?;',
            f'var token string = os.Getenv("SHOP_TOKEN_{number}")',
            f'func Sign(key string, secret string) string {{ return "signed-by-shop-{number}" }}',
            f"cancel: CancellationToken = default, int page = {number}",
            f'const label = t("password") || "Password{number}"',
            f"const key = process.env.API_KEY || 'your-api-key-{number}'",
            f'process.env.TOKEN ?? "", process.env.PORT ?? "{number}"',
            f"- **Password**: at least {number} characters\n- **Token:** sent as `X-Token-{number}`",
            f"f.token.length==1?f.token=f.token[0]:c-{number}!=f.token.length?a(f):b(f)",
            f"if(t.tokenize!=j&&t.tokenize!=null||t.typeAtEndOfLine{number}&&a(t.context))",
            f"!(r.key instanceof e.Scalar&&typeof r.key.value=={number})",
            f"oidc_client_secret_value: &oidc_client_secret_value_{number}\n",
            f"It takes a password or `keys[{number}].value` to log in.",
            f"**API key:** see `config/keys.example{number}.json`",
            f"**Tokens:** {number}4,120 in, **keys**: `a`, `b`",
        ]
    )


def placeholder(random: Random) -> str:
    return random.choice(
        [
            "OPENAI_API_KEY=your-api-key-here",
            "STRIPE_SECRET_KEY=sk_test_xxxxxxxxxxxxxxxxxxxxxxxx",
            'password = "changeme"',
            "DATABASE_URL=postgres://user:password@localhost:5432/app",
            "Authorization: Bearer <your-token>",
            "GITHUB_TOKEN=ghp_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
            "export API_TOKEN=${API_TOKEN:?must be set}",
            'secret_key: "[redacted:aws-secret-key]"',
            "AWS_SECRET_ACCESS_KEY=********************",
            "redis://:${REDIS_PASSWORD}@redis:6379/0",
            "token: {{ .Values.auth.token }}",
            "api_key: <paste your key from the dashboard here>",
            "password=None, token=undefined, secret=null",
            "CLIENT_SECRET=replace-with-the-client-secret-of-your-application",
        ]
    )


def speech(random: Random) -> str:
    number = random.randrange(1000, 99999)
    return random.choice(
        [
            f"The answer used {number} tokens: {number - 100} in, 100 out; the secret is a cache.",
            "Passwords are hashed with scrypt; the token is sent in a header, X-Share-Secret.",
            f"max_tokens: {number}, tokenizer: cl100k_base, token_type: bearer",
            "How do I rotate the API key without downtime? Keep both keys valid for an hour.",
            "I removed the hard-coded password from `config.py` and read it from the environment instead.",
            "The private key never leaves the machine; `-----BEGIN PRIVATE KEY-----` is in no file.",
            f"token-bucket-rate-limiter-{number}: refills one token a second",
            "Set `secret` to a long random string, e.g. with `openssl rand -base64 32`.",
            "The key is in ~/.ssh/id_ed25519, the password is asked for when it is loaded.",
            f"/srv/releases/2026-11-{number % 28 + 1:02d}/@aws-sdk/credential-provider-env/dist-cjs",
            f"Authentication: the user's password must be at least {number % 12 + 8} characters long.",
        ]
    )


def noise(random: Random) -> str:
    return random.choice(
        [
            f"pod/shop-{pick(random, LOWER, 10)}-{pick(random, LOWER, 5)} 1/1 Running 0 3d",
            f"https://www.youtube.com/watch?v={pick(random, URL_SAFE, 11)}&t=42s",
            f"https://cdn.example.com/a/{pick(random, URL_SAFE, 22)}.jpg?w=640&v={pick(random, DIGITS, 10)}",
            f"\x1b[32m✓\x1b[0m tests/test_tokens.py::test_{pick(random, 'abcdef', 6)} \x1b[2m(12 ms)\x1b[0m",
            f"nonce-{pick(random, BASE64, 22)}== script-src 'self'",
            f"cus_{pick(random, ALNUM, 14)} price_1{pick(random, ALNUM, 23)} pm_1{pick(random, ALNUM, 23)}",
            f"sk1: {pick(random, DIGITS, 13)} 0x{pick(random, HEX, 40)} {pick(random, HEX, 9)}",
            f"cache-key: Linux-node-{pick(random, HEX, 64)}",
            f"ghcr.io/acme/shop:{pick(random, HEX, 40)} uploaded, tag sha-{pick(random, HEX, 7)}",
            f"Set-Cookie: theme=dark; Path=/; Max-Age={random.randrange(99999)}",
            "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(40)),
        ]
    )


KINDS = {
    make.__name__.replace("_", " "): make
    for make in (
        git,
        checksum,
        identifier,
        session,
        image,
        minified,
        public_key,
        lock_file,
        code,
        about_passwords,
        public_name,
        env_heading,
        passing,
        typed_code,
        placeholder,
        speech,
        noise,
    )
}


def innocents(kind: str, amount: int) -> Iterator[str]:
    """Different texts of a kind, the same in every run; fewer where there are not so many."""
    random = Random(kind)
    seen: set[str] = set()
    for _ in range(20 * amount):
        text = KINDS[kind](random)
        if text not in seen and len(seen) < amount:
            seen.add(text)
            yield text

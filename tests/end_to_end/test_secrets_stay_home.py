"""Secrets in a real OpenCode session: neither the stored document nor the page has one of them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.end_to_end.model import Call, Step, bash, scripted_model
from tests.end_to_end.opencode import OpenCodeError, Setup, copy_plugin, make_profile, opencode, run_once
from tests.end_to_end.proxy import trap
from tests.redaction.kinds import ALNUM, HEX, pem, pick
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

RANDOM = Random(1)
PROMPTED = "ghp_" + pick(RANDOM, ALNUM, 36)
PRINTED = "sk_live_" + pick(RANDOM, ALNUM, 40)
READ = "glpat-" + pick(RANDOM, ALNUM, 20)
# Only the name of its variable gives away what it is.
ENVIRONMENT = pick(RANDOM, "abcdefgh", 14)
DOTENV = pick(RANDOM, HEX, 26)
KEY = pem(RANDOM)
EXCLUDED = "the launch is on the third of May"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    with gunicorn(folder, WEB_CONCURRENCY="1", DATA_DIR=str(folder)) as url:
        yield url


def read(path: str) -> Step:
    return Step(calls=[Call("read", {"filePath": path})])


SCRIPT = {
    "Deploy it": [
        Step(f"I use {PROMPTED} as you said.", f"The token is {PROMPTED}.", bash("date").calls),
        bash(f"echo 'STRIPE_KEY={PRINTED}'; echo {PRINTED[:12]}; printf '%s' {PRINTED} | base64 -w0"),
        bash(
            "P=$DEPLOY_PASSWORD; "
            "printf '\\033[32m%s\\033[0m%s\\n' $(echo $P | cut -c1-5) $(echo $P | cut -c6-)"
        ),
        read("deploy.yml"),
        read("server.key"),
        bash("rev .env | rev | cut -d= -f2"),
        read("private/plan.md"),
        bash("cat private/plan.md && pwd"),
        Step(calls=[Call("write", {"filePath": "out.txt", "content": f"{READ}\n{DOTENV}\n"})]),
        Step("It is deployed."),
    ],
}


def seed(project: Path) -> None:
    (project / ".env").write_text(f"# of the shop\nSHOP_API_KEY={DOTENV}\nDEBUG=true\n")
    (project / "deploy.yml").write_text(f"host: shop.example.com\ntoken: {READ}\nport: 3000\n")
    (project / "server.key").write_text(KEY + "\n")
    (project / "private").mkdir()
    (project / "private" / "plan.md").write_text(EXCLUDED + "\n")


def test_no_planted_secret_leaves_the_machine(tmp_path: Path, service: str) -> None:
    with scripted_model(SCRIPT) as model:
        options = {"exclude": ["private/**"]}
        setup = Setup(
            service,
            copy_plugin(tmp_path),
            model,
            options=options,
            environment={"DEPLOY_PASSWORD": ENVIRONMENT},
        )
        profile = make_profile(tmp_path, setup)
        seed(profile.project)
        with opencode(profile) as author:
            session = author.create_session()
            author.prompt(session, f"Deploy it with {PROMPTED}")
            link = author.share(session)
            status, stored = fetch("GET", link.replace("/share/", "/api/share/"))
            assert status == 200
            _, page = fetch("GET", link)

    for text in (stored.decode(), page.decode()):
        for secret in (
            PROMPTED,
            PRINTED,
            READ,
            ENVIRONMENT,
            ENVIRONMENT[5:],
            DOTENV,
            EXCLUDED,
            str(profile.home),
        ):
            assert secret not in text
        assert base64.b64encode(PRINTED.encode()).decode() not in text
        assert not any(line in text for line in KEY.splitlines()[1:-1])
    document = json.dumps(json.loads(stored))
    for kind in ("github-token", "stripe-key", "gitlab-token", "environment-variable", "private-key"):
        assert f"[redacted:{kind}]" in document
    assert "[excluded: private/plan.md]" in document
    assert '<span class="redacted">[redacted:github-token]</span>' in page.decode()
    # What is around them is still there.
    for expected in ("Deploy it with", "host: shop.example.com", "port: 3000", "It is deployed."):
        assert expected in document


def test_what_opencode_shares_by_itself_is_not_uploaded_unless_that_was_allowed(
    tmp_path: Path, service: str
) -> None:
    setup = Setup(service, copy_plugin(tmp_path), settings={"share": "auto"})
    with opencode(make_profile(tmp_path, setup)) as author:
        session = author.create_session()
        with pytest.raises(OpenCodeError, match="500"):
            author.share(session)
        assert fetch("GET", f"{service}/share/{session[-8:]}")[0] == 404


@pytest.mark.parametrize("auto", [False, True])
def test_run_with_share_uploads_only_where_that_was_allowed(tmp_path: Path, auto: bool) -> None:
    with scripted_model({"Say goodbye": [Step("Goodbye.")]}) as model, trap() as server:
        setup = Setup(server.url, copy_plugin(tmp_path), model, options={"auto": auto})
        printed = run_once(make_profile(tmp_path, setup), "--share", "Say goodbye")
    assert "Goodbye." in printed
    assert server.caught == (["POST /api/share/presign"] if auto else [])
    reason = "does not answer like a Better Share server" if auto else "OpenCode shares this session by"
    assert re.search(f"^Better Share: Not shared: .*{reason}", printed, re.MULTILINE)

from __future__ import annotations

from tests.frame.checkout import Checkout

CHROMIUM, NODE = "requirements/chromium.sh", "requirements/node.sh"


def test_chromium_is_the_one_named_in_chrome(checkout: Checkout) -> None:
    checkout.program("chromium", "")
    mine = checkout.program("my chrome", "")
    assert checkout.run(CHROMIUM, CHROME=str(mine)).stdout == f"{mine}\n"


def test_chrome_that_is_no_program_is_said_not_replaced(checkout: Checkout) -> None:
    checkout.program("chromium", "")
    run = checkout.run(CHROMIUM, CHROME="nowhere")
    assert (run.returncode, run.stdout) == (1, "")
    assert "CHROME=nowhere is not a program" in run.stderr


def test_chromium_goes_by_several_names(checkout: Checkout) -> None:
    for name in ("google-chrome-stable", "google-chrome", "chromium-browser", "chromium"):
        path = checkout.program(name, "")
        assert checkout.run(CHROMIUM).stdout == f"{path}\n"


def test_chrome_is_found_where_macos_has_it(checkout: Checkout) -> None:
    path = checkout.bin / "Google Chrome.app" / "Contents" / "MacOS" / "Google Chrome"
    path.parent.mkdir(parents=True)
    checkout.program("chrome", "").rename(path)
    assert checkout.run(CHROMIUM).stdout == f"{path}\n"


def test_without_chromium_one_sentence_says_what_is_skipped(checkout: Checkout) -> None:
    checkout.program("apt-get", "exit 9")
    run = checkout.run(CHROMIUM)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (0, "", 1)
    assert "the browser tests are skipped" in run.stderr
    assert "sudo apt-get install chromium" in run.stderr


def test_in_ci_as_root_debians_chromium_is_installed(checkout: Checkout) -> None:
    checkout.program("id", "echo 0")
    checkout.program("apt-get", f'echo "$@"; [ "$2" = update ] || : >"{checkout.bin}/chromium"')
    (checkout.bin / "chromium").unlink(missing_ok=True)
    run = checkout.run(CHROMIUM, CI="true")
    assert "install -y --no-install-recommends chromium" in run.stderr


def test_in_ci_a_missing_chromium_is_a_fault(checkout: Checkout) -> None:
    checkout.program("id", "echo 1000")
    run = checkout.run(CHROMIUM, CI="true")
    assert (run.returncode, run.stdout) == (1, "")
    assert "not skipped" in run.stderr


def test_without_npm_one_sentence_says_what_is_skipped(checkout: Checkout) -> None:
    run = checkout.run(NODE, "run", "check")
    assert (run.returncode, run.stderr.count("\n")) == (3, 1)
    assert "the browser code is skipped" in run.stderr


def test_in_ci_a_missing_npm_is_a_fault(checkout: Checkout) -> None:
    checkout.program("id", "echo 1000")
    run = checkout.run(NODE, "run", "check", CI="true")
    assert (run.returncode, "not skipped" in run.stderr) == (1, True)


def test_npm_installs_once_for_a_lock(checkout: Checkout) -> None:
    lock = checkout.path / "package-lock.json"
    lock.write_text("{}")
    checkout.program("npm", 'echo "$@"; mkdir -p node_modules')
    install, check = "ci --silent --ignore-scripts", "--silent run check"
    assert checkout.run(NODE, "run", "check").stdout.splitlines() == [install, check]
    assert checkout.run(NODE, "run", "check").stdout.splitlines() == [check]
    lock.write_text('{"another": 1}')
    assert checkout.run(NODE, "run", "check").stdout.splitlines() == [install, check]

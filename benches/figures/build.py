"""The binary: its size, how long it takes to build, and what it is made of."""

import json
import os
import shutil
import subprocess

from .lab import Absent, ROOT, number, say, table

# Why each crate is there that is more than a hundredth of the program.
WHY = {
    "[Unknown]": "what the tool cannot put down to a crate",
    "annotate_snippets": "shows where a schedule is wrong",
    "axum": "the routes of the socket",
    "clap_builder": "commands and their help",
    "clap_complete": "completions for the shells",
    "dosed": "dosed itself",
    "hyper": "HTTP on the socket and to channels",
    "jiff": "times, zones and calendars",
    "ring": "cryptography of TLS, and signed answers",
    "rustls": "channels over TLS",
    "serde_core": "reads and writes schedules, facts and answers",
    "serde_json": "facts and answers as JSON",
    "sled": "the database that questions are answered from",
    "std": "the standard library",
    "tokio": "waits for everything at once",
    "tokio_cron_scheduler": "runs a job at each deadline",
    "zbus": "D-Bus, for notifications and logind",
}
WORTH_TELLING = 0.01


def run(lab):
    rows = [["stripped release binary, MB", number(lab.dosed.stat().st_size / 1e6)],
            ["crates that it is built from", crates()],
            ["`cargo build --release` from nothing, s", clean_build(lab)]]
    return "\n".join([table(["what", "is"], rows), "", shares(lab)])


def crates():
    tree = cargo("tree", "--edges", "normal", "--prefix", "none", "--format", "{p}")
    return len({line.split(" (")[0] for line in tree.splitlines() if line})


def clean_build(lab):
    """Builds into an empty directory. The crates are here already: dosed has been built before."""
    if lab.quick:
        return "not measured: this is a trial"
    say("build: from nothing")
    fresh = lab.directory()
    took, _ = lab.timed("cargo", "build", "--release", "--quiet", cwd=ROOT, env=environment(fresh))
    shutil.rmtree(fresh)
    return number(took)


def shares(lab):
    try:
        told = json.loads(bloat(lab))
    except Absent as why:
        return f"The shares of the crates are not measured: {why}"
    text = told["text-section-size"]
    rows = [[crate["name"], f"{crate['size'] / text:.1%}", WHY.get(crate["name"], "")]
            for crate in told["crates"] if crate["size"] / text > WORTH_TELLING]
    return "\n".join([f"The code is {number(text / 1e6)} MB; crates with more than {WORTH_TELLING:.0%} of it:", "",
                      table(["crate", "share of .text", "there for"], rows)])


def bloat(lab):
    """Returns what cargo-bloat tells; it needs the symbols, and so a build of its own."""
    tools = lab.target / "bench-tools"
    if not (tools / "bin/cargo-bloat").exists():
        say("build: installing cargo-bloat")
        subprocess.run(["cargo", "install", "--quiet", "--locked", "--root", tools, "cargo-bloat"])
    if not (tools / "bin/cargo-bloat").exists():
        raise Absent("cargo-bloat cannot be installed here")
    say("build: with symbols")
    env = environment(lab.target / "bench-bloat") | {"CARGO_PROFILE_RELEASE_STRIP": "false"}
    _, told = lab.timed(tools / "bin/cargo-bloat", "bloat", "--release", "--crates", "-n", "0", "--bin", "dosed",
                        "--message-format", "json", cwd=ROOT, env=env)
    return told


def environment(target):
    """The bench hides the home directory from its programs; cargo needs the real one."""
    return os.environ | {"CARGO_TARGET_DIR": str(target)}


def cargo(*words):
    done = subprocess.run(["cargo", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout

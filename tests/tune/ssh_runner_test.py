"""`tconvc tune --runner` over ssh to a second host, which a network namespace with an sshd of its own stands for.

All of it is in namespaces of the kernel and one temporary directory: no interface, file or process is left when the
test ends, in whatever way. Needs root, and says that it is skipped where it may not make namespaces."""

import json
import os
import pathlib
import pwd
import shlex
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tconvc  # noqa: E402

# The processes inside die with the first of them, and the interfaces and mounts with the last.
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]

OWN_ADDRESS, OTHER_ADDRESS = "192.0.2.1", "192.0.2.2"  # of the block for documentation: nobody's
OTHER_NAME = "second-host"

SSH_CONFIG = """\
Host {name}
  HostName {address}
  User root
  IdentityFile {here}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {here}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
"""

SSHD_CONFIG = """\
ListenAddress {address}
HostKey {here}/host_key
AuthorizedKeysFile {here}/user_key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
UseDNS no
PidFile none
Subsystem sftp internal-sftp
"""

# A home of its own, so that only there is a candidate where scp has put it. sshd wants /run/sshd, and no locked root.
OTHER_HOST = """\
set -e
mount -t tmpfs -o mode=700 tmpfs {home}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/sshd
mount --bind {here}/shadow /etc/shadow
hostname {name}
echo ready
read connected
ip link set lo up
ip address add {address}/24 dev far
ip link set far up
exec {sshd} -D -e -f {here}/sshd_config
"""


def find_sshd():
    return shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def why_skipped():
    """What is missing, or None."""
    missing = [name for name in ("unshare", "ip", "ssh", "scp", "ssh-keygen") if not shutil.which(name)]
    if not find_sshd():
        missing.append("sshd")
    if missing:
        return f"no {', '.join(missing)}: apt install openssh-server openssh-client iproute2 util-linux"
    if os.geteuid() != 0:
        return "not root, so that there can be no second host in a network namespace"
    attempt = subprocess.run([*NAMESPACES, "sh", "-c", "ip link add near type veth && mount -t tmpfs tmpfs /mnt"],
                             capture_output=True, text=True)
    if attempt.returncode != 0:
        return f"this root may not make a network namespace: {attempt.stderr.strip()}"
    return None


class SshRunner(tconvc.TconvcTest):
    def setUp(self):
        super().setUp()
        words = {"here": self.directory, "home": pwd.getpwuid(0).pw_dir, "sshd": find_sshd(), "name": OTHER_NAME,
                 "address": OTHER_ADDRESS}
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / key], check=True)
        host_key = (self.directory / "host_key.pub").read_text()
        self.file("known_hosts", f"{OTHER_ADDRESS} {host_key}")
        self.file("shadow", "root:*:19000::::::\nsshd:*:19000::::::\n").chmod(0o600)
        self.file("sshd_config", SSHD_CONFIG.format(**words))
        self.config = self.file("ssh_config", SSH_CONFIG.format(**words))
        self.sshd_log = open(self.directory / "sshd.log", "w")
        self.addCleanup(self.sshd_log.close)
        self.host = subprocess.Popen(["unshare", "--net", "--uts", "--mount", "sh", "-c", OTHER_HOST.format(**words)],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.sshd_log, text=True)
        self.addCleanup(self.host.communicate)
        self.addCleanup(self.host.kill)
        self.assertEqual(self.host.stdout.readline(), "ready\n", self.log_of_sshd())
        self.ip(f"link add near type veth peer name far netns {self.host.pid}")
        # The other host's namespace, and its end of the link, live until the last process in it has ended.
        self.addCleanup(self.ip, "link delete near")
        self.ip(f"address add {OWN_ADDRESS}/24 dev near")
        self.ip("link set near up")
        self.host.stdin.write("connected\n")
        self.host.stdin.flush()
        self.assertEqual(self.there("hostname", "-o", "ConnectionAttempts=20"), f"{OTHER_NAME}\n")

    def ip(self, arguments):
        subprocess.run(["ip", *arguments.split()], check=True)

    def log_of_sshd(self):
        return (self.directory / "sshd.log").read_text()

    def there(self, command, *options):
        process = subprocess.run(["ssh", "-F", self.config, *options, OTHER_NAME, command], capture_output=True,
                                 text=True)
        self.assertEqual(process.returncode, 0, process.stderr + self.log_of_sshd())
        return process.stdout

    def tune(self, command):
        config = shlex.quote(str(self.config))
        self.tconvc("tune", self.file("up.json", tconvc.keras_layer()), "--runner",
                    f"scp -q -F {config} {{}} {OTHER_NAME}:candidate && ssh -F {config} {OTHER_NAME} '{command}'",
                    "--strategy", "random", "--budget", "45s", "--no-baselines", "--log", "tune.log",
                    "--db", "schedules.txt")
        log = self.directory / "tune.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def test_candidates_are_measured_on_the_other_host(self):
        # The line that runs a candidate also writes down where it does.
        records = self.tune("hostname >>where && ./candidate")
        self.assertGreaterEqual(len(records), 3)
        self.assertEqual([record for record in records if record["outcome"] != "measured"], [])
        self.assertTrue(all(record["minimum_ms"] > 0 for record in records))
        where = self.there("cat where").splitlines()
        self.assertEqual(set(where), {OTHER_NAME})
        self.assertGreaterEqual(len(where), len(records))
        self.assertIn(records[0]["layer"], (self.directory / "schedules.txt").read_text())

    def test_a_candidate_that_dies_on_the_other_host_is_a_crash(self):
        records = self.tune('sh -c "kill -SEGV \\$\\$" || exit $?; ./candidate')
        self.assertEqual([record["outcome"] for record in records], ["crashed"])

    def test_a_connection_that_ends_is_a_failure(self):
        # ssh's own exit code, 255, is also what it has for a remote shell that a signal ended.
        records = self.tune("exit 255; ./candidate")
        self.assertEqual([record["outcome"] for record in records], ["failed"])


if __name__ == "__main__":
    if sys.argv[-1] == "--inside":
        sys.argv.pop()
        tconvc.main()
    reason = why_skipped()
    if reason:
        sys.exit(print(f"SKIPPED: {reason}"))
    os.execvp(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv, "--inside"])

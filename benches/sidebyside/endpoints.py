"""What is measured: the nodes, and how each proxy is started in front of them with so many workers.

An endpoint is a port, the process that serves it and the nodes behind it. A proxy that is not found or
does not come up is left out with its reason; nothing here is ever fetched, built or installed.
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess

from . import wire
from .cells import PRIMARIES
from .process import Process, StartError, free_ports

# The option behind which slotway is given the path of its unix socket.
UNIX = "--unixsocket"


@dataclasses.dataclass
class Endpoint:
    """One place that redis-benchmark is pointed at."""
    name: str
    port: int
    proxy: Process | None  # None: the nodes themselves.
    nodes: list[Process]
    version: str
    flags: str
    clustered: bool = False  # redis-benchmark runs with --cluster.
    fixed: bool = False  # Answers the same to everything.
    socket: str | None = None  # The load reaches it over this unix socket, not over the port.
    lone_client: pathlib.Path | None = None  # The program that is a lone client's load.

    @property
    def where(self):
        """What clients connect to: see `wire.connect`."""
        return self.socket or self.port

    def answers(self):
        """Whether it is there and, if it stands before nodes, reaches them."""
        return answers(self.where, *(["PING"] if self.fixed else ["GET", "probe"]))

    def begin_anew(self, yard):
        """Ends the proxy and starts it once more, on the same port."""
        yard.end(self.proxy)
        self.proxy = yard.start(self.name, self.proxy.argv)
        self.proxy.wait_for(self.answers, "answering")


@dataclasses.dataclass
class Nodes:
    """Running servers: one cluster, or single ones."""
    ports: list[int]
    processes: list[Process]


def start_nodes(yard, cluster):
    """Three servers without persistence, formed into a cluster or left alone."""
    ports, processes = free_ports(PRIMARIES), []
    for port in ports:
        argv = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--maxclients", "20000", "--tcp-backlog", "4096"]
        if cluster:
            argv += ["--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{port}.conf"]
        processes.append(yard.start(f"node-{port}", argv))
    for port, process in zip(ports, processes):
        process.wait_for(lambda: answers(port), "answering")
    if cluster:
        form(ports, processes)
    return Nodes(ports, processes)


def form(ports, processes):
    """Makes one cluster of the servers and waits until each of them agrees."""
    made = subprocess.run(["redis-cli", "--cluster", "create", *(f"127.0.0.1:{port}" for port in ports),
                           "--cluster-yes"], capture_output=True, text=True, timeout=60)
    if made.returncode:
        raise StartError(f"redis-cli --cluster create: {made.stdout}{made.stderr}")
    for port, process in zip(ports, processes):
        process.wait_for(lambda: b"cluster_state:ok" in wire.ask(port, "CLUSTER", "INFO"), "part of the cluster")


def answers(where, *words):
    """Whether a request gets a reply that is no error."""
    try:
        wire.ask(where, *(words or ["PING"]))
        return True
    except wire.Refused:
        return False


def null_server(yard, port, nodes, binary, workers):
    """The floor: reads requests, writes a fixed answer."""
    return [binary, port]


def slotway(yard, port, nodes, binary, workers):
    """The proxy itself, metrics on, with the settings that it has by itself."""
    metrics = free_ports(1)[0]
    return [binary, *addresses(nodes), "--port", port, "--threads", workers,
            "--metrics-addr", f"127.0.0.1:{metrics}"]


def slotway_twice(yard, port, nodes, binary, workers):
    """With twice as many workers, which are used when one is busy."""
    return slotway(yard, port, nodes, binary, 2 * workers)


def slotway_twice_even(yard, port, nodes, binary, workers):
    """With twice as many workers, each of which has as many clients from the start."""
    return [*slotway_twice(yard, port, nodes, binary, workers), "--spread-at", 0]


def slotway_unix(yard, port, nodes, binary, workers):
    """With the load on a unix socket."""
    return [*slotway(yard, port, nodes, binary, workers), UNIX, yard.folder / "slotway.sock"]


def predixy(yard, port, nodes, binary, workers):
    """Predixy, as its sample configuration has it but for the log and the number of threads."""
    servers = "\n".join(f"    + {address}" for address in addresses(nodes))
    return [binary, yard.write("predixy.conf", f"""\
Bind 127.0.0.1:{port}
WorkerThreads {workers}
ClientTimeout 0
LogVerbSample 0
LogDebugSample 0
LogInfoSample 0
Authority {{
    Auth {{
        Mode write
    }}
}}
ClusterServerPool {{
    RefreshInterval 1
    ServerTimeout 5
    Servers {{
{servers}
    }}
}}
""")]


def redis_cluster_proxy(yard, port, nodes, binary, workers):
    """redis-cluster-proxy, multiplexing, with requests over several slots allowed."""
    return [binary, "--bind", "127.0.0.1", "--port", port, "--threads", workers, "--enable-cross-slot",
            "--disable-colors", "--log-level", "error", *addresses(nodes)]


def nutcracker(yard, port, nodes, binary, workers):
    """nutcracker before single servers: no cluster proxy, a reference for speed (always one thread)."""
    servers = "\n".join(f"    - {address}:1" for address in addresses(nodes))
    config = yard.write("nutcracker.yml", f"""\
bench:
  listen: 127.0.0.1:{port}
  redis: true
  hash: fnv1a_64
  distribution: ketama
  preconnect: true
  backlog: 4096
  servers:
{servers}
""")
    return [binary, "--conf-file", config, "--stats-port", free_ports(1)[0], "--stats-addr", "127.0.0.1"]


def envoy(yard, port, nodes, binary, workers, batch=""):
    """Envoy's redis_proxy filter over its redis cluster type, each request written at once."""
    endpoints = "".join(f"""
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {node}}}}}}}"""
                        for node in nodes.ports)
    config = yard.write(f"envoy-{port}.yaml", f"""\
static_resources:
  listeners:
  - name: bench
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    tcp_backlog_size: 4096
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: bench
          settings: {{op_timeout: 5s{batch}}}
          prefix_routes: {{catch_all_route: {{cluster: nodes}}}}
  clusters:
  - name: nodes
    connect_timeout: 1s
    lb_policy: CLUSTER_PROVIDED
    circuit_breakers:
      thresholds:
      - {{max_connections: 100000, max_pending_requests: 1000000, max_requests: 1000000}}
    load_assignment:
      cluster_name: nodes
      endpoints:
      - lb_endpoints:{endpoints}
    cluster_type:
      name: envoy.clusters.redis
      typed_config:
        "@type": type.googleapis.com/google.protobuf.Struct
        value: {{cluster_refresh_rate: 5s}}
""")
    return [binary, "--config-path", config, "--concurrency", workers, "--disable-hot-restart",
            "--log-level", "error"]


def envoy_batched(yard, port, nodes, binary, workers):
    """Envoy that gathers requests up to 1 KiB or 3 ms before it writes them."""
    batch = ", max_buffer_size_before_flush: 1024, buffer_flush_timeout: 0.003s"
    return envoy(yard, port, nodes, binary, workers, batch)


def addresses(nodes):
    """The nodes as HOST:PORT."""
    return [f"127.0.0.1:{port}" for port in nodes.ports]


# name: (how it is started, variable with its path, name on PATH or below the build folder, version flag)
PROXIES = {
    "floor": (null_server, "SLOTWAY_BENCH_NULL", "examples/null_server", None),
    "slotway": (slotway, "SLOTWAY_BENCH_SLOTWAY", "slotway", "--version"),
    "slotway-pgo": (slotway, "SLOTWAY_BENCH_PGO", "../pgo/release/slotway", "--version"),
    "slotway-2": (slotway_twice, "SLOTWAY_BENCH_SLOTWAY", "slotway", "--version"),
    "slotway-2-even": (slotway_twice_even, "SLOTWAY_BENCH_SLOTWAY", "slotway", "--version"),
    "slotway-unix": (slotway_unix, "SLOTWAY_BENCH_SLOTWAY", "slotway", "--version"),
    "predixy": (predixy, "SLOTWAY_BENCH_PREDIXY", "predixy", "-v"),
    "envoy": (envoy, "SLOTWAY_BENCH_ENVOY", "envoy", "--version"),
    "envoy-batched": (envoy_batched, "SLOTWAY_BENCH_ENVOY", "envoy", "--version"),
    "rcp": (redis_cluster_proxy, "SLOTWAY_BENCH_RCP", "redis-cluster-proxy", "--version"),
    "nutcracker": (nutcracker, "SLOTWAY_BENCH_NUTCRACKER", "nutcracker", "--version"),
}
NAMES = ["direct", *PROXIES]
BUILT_HERE = ("floor", "slotway", "slotway-pgo", "slotway-2", "slotway-2-even", "slotway-unix")
# Only where they are asked for by name: slotway after `make pgo`, with more workers or over a unix socket, and Envoy with
# a 3 ms timer, which makes every unpipelined cell a picture of that timer.
ON_REQUEST = ("slotway-pgo", "slotway-2", "slotway-2-even", "slotway-unix", "envoy-batched")


def start_all(yard, names, workers, built):
    """The endpoints of `names` that come up, and {name: reason} of those that do not."""
    cluster = start_nodes(yard, cluster=True)
    found, missing = [], {}
    for name in names:
        try:
            found.append(start(yard, name, cluster, workers, built))
        except StartError as error:
            missing[name] = str(error)
    return found, missing, cluster


def start(yard, name, cluster, workers, built):
    """One endpoint, answering."""
    server = first_line("redis-server", "--version")
    lone_client = pathlib.Path(built, "examples/lone_client").resolve()
    if name == "direct":
        return Endpoint(name, cluster.ports[0], None, cluster.processes, server, "--cluster", clustered=True,
                        lone_client=lone_client)
    begin, variable, program, version = PROXIES[name]
    binary = find(name, variable, program, built)
    nodes = start_nodes(yard, cluster=False) if name == "nutcracker" else cluster
    port = free_ports(1)[0]
    argv = [str(word) for word in begin(yard, port, nodes, binary, workers)]
    process = yard.start(name, argv)
    behind = [] if name == "floor" else nodes.processes
    said = first_line(binary, version) if version else "the null server of this repository"
    socket = argv[argv.index(UNIX) + 1] if UNIX in argv else None
    endpoint = Endpoint(name, port, process, behind, said, shown(argv, yard), fixed=name == "floor", socket=socket,
                        lone_client=lone_client)
    try:
        process.wait_for(endpoint.answers, "answering")
    except StartError:
        yard.end(process)
        raise
    return endpoint


def find(name, variable, program, built):
    """The path of a proxy's binary."""
    if path := os.environ.get(variable):
        return pathlib.Path(path).resolve()
    if name in BUILT_HERE:
        path = pathlib.Path(built, program).resolve()
        if path.exists():
            return path
        raise StartError(f"{program} is not built")
    if path := shutil.which(program):
        return path
    raise StartError(f"not on PATH, and {variable} names none")


def first_line(*argv):
    """What a program says of its version, in one line without the path that it was called by."""
    said = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=10)
    if said.returncode:
        return "does not tell its version"
    lines = [line.strip() for line in (said.stdout + said.stderr).splitlines() if line.strip()]
    line = lines[0] if lines else "version unknown"
    return line.replace(str(argv[0]), pathlib.Path(argv[0]).name).strip()


def shown(argv, yard):
    """A command line as it is reported: no folders of this machine."""
    words = [pathlib.Path(argv[0]).name, *argv[1:]]
    return " ".join(word.replace(f"{yard.folder}/", "") for word in words)

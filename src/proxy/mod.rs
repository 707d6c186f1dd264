//! L4: puts the parts together. Listens, starts control and workers, places clients on workers, and drains
//! when told to.

mod balance;
mod listen;

use std::{sync::Arc, thread, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::JoinSet,
};

use crate::{
    config::Config,
    control::{self, Status},
    topology::{self, Topology},
    worker::{self, Equipment},
};

/// How long clients are kept waiting at the start for the first answer of the cluster.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// Why the proxy stopped otherwise than by draining.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It could not go on, or not begin.
    #[error("{0}")]
    Runtime(String),
    /// `--require-cluster` was given and no node answered in time.
    #[error("no node of the cluster has answered within {0:?}")]
    NoCluster(Duration),
}

impl Failure {
    /// The exit code, as in sysexits.h.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) => 1,
            Self::NoCluster(_) => 69,
        }
    }

    fn runtime(error: impl std::fmt::Display) -> Self {
        Self::Runtime(error.to_string())
    }
}

/// Serves until a signal says to drain, and drains.
///
/// # Errors
/// When it can't listen, when `--require-cluster` is not met, or when the drain takes too long.
pub fn run(config: Config) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    runtime.block_on(serve(Arc::new(config)))
}

async fn serve(config: Arc<Config>) -> Result<(), Failure> {
    let mut stops = Stops::new().map_err(Failure::runtime)?;
    let acceptors = listen::bind(&config).map_err(Failure::Runtime)?;
    let (topology, signals) = Topology::new();
    let (equipment, mail) = Equipment::new(config, topology);
    let status = start_control(&equipment, signals)?;
    let workers = start_workers(&equipment, mail)?;
    // Clients that come at once wait in the kernel's queue rather than being told that there is no cluster.
    let _ = tokio::time::timeout(FIRST_LOOK, status.learned()).await;
    let mut doors = JoinSet::new();
    for acceptor in acceptors {
        doors.spawn(acceptor.run(Arc::clone(&equipment.config), Arc::clone(&equipment.mailboxes)));
    }
    doors.spawn(balance::run(equipment.clone()));
    status.set_listening(true);
    tokio::select! {
        () = stops.next() => {}
        failure = cluster_required(&equipment.config, &status) => {
            listen::clean_up(&equipment.config);
            return Err(failure);
        }
    }
    status.set_draining();
    doors.shutdown().await;
    drain(&equipment, workers, &mut stops).await
}

/// SIGTERM and SIGINT.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Starts the control thread, which serves its HTTP address from the start.
fn start_control(
    equipment: &Equipment,
    signals: mpsc::Receiver<topology::Signal>,
) -> Result<Arc<Status>, Failure> {
    let Equipment { config, topology, metrics, .. } = equipment.clone();
    let admin = control::bind_admin(&config).map_err(|error| {
        let addr = config.metrics_addr.map(|addr| addr.to_string()).unwrap_or_default();
        Failure::Runtime(format!("cannot serve metrics on {addr}: {error}"))
    })?;
    let status = Arc::new(Status::default());
    let life = control::run(config, topology, signals, metrics, Arc::clone(&status), admin);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    let control = thread::Builder::new().name("control".to_owned());
    control.spawn(move || runtime.block_on(life)).map_err(Failure::runtime)?;
    Ok(status)
}

/// Starts the workers. What is returned closes when the last has drained.
fn start_workers(
    equipment: &Equipment,
    mail: Vec<mpsc::UnboundedReceiver<worker::Mail>>,
) -> Result<mpsc::Receiver<()>, Failure> {
    let (alive, drained) = mpsc::channel(1);
    for (index, mail) in mail.into_iter().enumerate() {
        let (equipment, alive) = (equipment.clone(), alive.clone());
        let life = move || {
            if let Err(error) = worker::run(index, equipment, mail) {
                tracing::error!(worker = index, %error, "worker cannot run");
            }
            drop(alive);
        };
        thread::Builder::new().name(format!("worker-{index}")).spawn(life).map_err(Failure::runtime)?;
    }
    Ok(drained)
}

/// Resolves only if a cluster is required and does not answer in time.
async fn cluster_required(config: &Config, status: &Status) -> Failure {
    let Some(limit) = config.require_cluster else { return std::future::pending().await };
    match tokio::time::timeout(limit, status.learned()).await {
        Ok(()) => std::future::pending().await,
        Err(_) => Failure::NoCluster(limit),
    }
}

/// Lets the workers answer what is in flight.
async fn drain(
    equipment: &Equipment,
    mut workers: mpsc::Receiver<()>,
    stops: &mut Stops,
) -> Result<(), Failure> {
    let limit = equipment.config.drain_timeout;
    tracing::info!(clients = equipment.mailboxes.clients(), "draining");
    equipment.mailboxes.drain();
    let result = tokio::select! {
        drained = tokio::time::timeout(limit, workers.recv()) => {
            drained.map(|_| ()).map_err(|_| Failure::Runtime(format!("not drained within {limit:?}")))
        }
        () = stops.next() => Err(Failure::Runtime("stopped by a second signal".to_owned())),
    };
    listen::clean_up(&equipment.config);
    result
}

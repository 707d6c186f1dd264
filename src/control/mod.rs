//! L3, the control plane: learns the slot table and keeps it right, probes the owners, judges the replicas, serves the admin
//! HTTP. All on one thread of its own.
//!
//! Must not know the workers: it meets them in [`Topology`] and [`Metrics`]. Invariant: nobody else
//! stores a slot table.

mod admin;
mod answer;
mod listener;
mod pace;
mod patches;
mod probe;
mod readiness;
mod refresh;
mod status;
mod survey;

use std::{net::TcpListener, sync::Arc};

use tokio::sync::{Notify, mpsc};

pub use admin::bind_admin;
pub use readiness::missing;
pub use status::Status;

use crate::{
    config::Config,
    metrics::Metrics,
    node::Credentials,
    topology::{Signal, Topology},
};

/// Runs the control plane; never ends by itself. `admin` is what [`bind_admin`] returned.
pub async fn run(
    config: Arc<Config>,
    topology: Arc<Topology>,
    signals: mpsc::Receiver<Signal>,
    metrics: Arc<Metrics>,
    status: Arc<Status>,
    admin: Option<TcpListener>,
) {
    let credentials = Arc::new(Credentials::of(&config));
    let stored = Arc::new(Notify::new());
    let sources = admin::Sources {
        topology: Arc::clone(&topology),
        metrics: Arc::clone(&metrics),
        status: Arc::clone(&status),
    };
    let (judge, judged) = mpsc::channel(1);
    let survey = survey::run(Arc::clone(&config), Arc::clone(&topology), Arc::clone(&credentials), judge);
    let refresher = refresh::Refresher::new(
        config,
        Arc::clone(&credentials),
        Arc::clone(&topology),
        metrics,
        Arc::clone(&status),
        Arc::clone(&stored),
        judged,
    );
    let probes = probe::run(topology, credentials, status, stored);
    tokio::join!(
        Box::pin(refresher.run(signals)),
        Box::pin(probes),
        Box::pin(survey),
        Box::pin(admin_http(admin, sources))
    );
}

async fn admin_http(listener: Option<TcpListener>, sources: admin::Sources) {
    let Some(listener) = listener else { return };
    if let Err(error) = admin::serve(listener, sources).await {
        tracing::error!(%error, "admin HTTP ended");
    }
}

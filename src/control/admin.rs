//! The admin HTTP: `/metrics`, `/livez` (and `/healthz`), `/readyz`.
//!
//! Must not touch clients or nodes. Invariant: it runs on control's thread, so a slow reader costs no
//! client anything.

use std::{io, net::TcpListener, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

use super::{Status, listener::Bounded, readiness::missing};
use crate::{
    config::Config,
    metrics::{Metrics, render},
    topology::Topology,
};

/// What Prometheus calls its text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the pages are made of.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) topology: Arc<Topology>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) status: Arc<Status>,
}

/// Listens on the configured address, or on none.
///
/// # Errors
/// When the address can't be bound.
pub fn bind_admin(config: &Config) -> io::Result<Option<TcpListener>> {
    let Some(addr) = config.metrics_addr else { return Ok(None) };
    let listener = TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    Ok(Some(listener))
}

/// Serves `listener`; ends only where the runtime refuses it.
pub(super) async fn serve(listener: TcpListener, sources: Sources) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(Bounded::new(listener), router(sources)).await
}

fn router(sources: Sources) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get("ok\n"))
        .route("/healthz", get("ok\n"))
        .route("/readyz", get(ready))
        .with_state(sources)
}

async fn metrics(State(sources): State<Sources>) -> impl IntoResponse {
    let figures = sources.status.figures(&sources.topology.table().load());
    ([(header::CONTENT_TYPE, TEXT)], render(&sources.metrics, &figures))
}

async fn ready(State(sources): State<Sources>) -> (StatusCode, String) {
    let missing = missing(&sources.status, &sources.topology.table().load());
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn page(addr: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        page
    }

    #[tokio::test]
    async fn each_page_is_served() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let (topology, _signals) = Topology::new();
        let metrics = Arc::new(Metrics::new(vec!["get"], 1));
        tokio::spawn(serve(listener, Sources { topology, metrics, status: Arc::default() }));
        let figures = page(addr, "/metrics").await;
        assert!(figures.starts_with("HTTP/1.1 200") && figures.contains("slotway_slots_unassigned 16384"));
        assert!(figures.contains("content-type: text/plain; version=0.0.4"));
        assert!(page(addr, "/livez").await.ends_with("\r\n\r\nok\n"));
        assert!(page(addr, "/healthz").await.starts_with("HTTP/1.1 200"));
        let readiness = page(addr, "/readyz").await;
        assert!(readiness.starts_with("HTTP/1.1 503"));
        assert!(readiness.ends_with("not listening\nno seed has answered yet\n"));
        assert!(page(addr, "/").await.starts_with("HTTP/1.1 404"));
    }
}

//! The HTTP server that Prometheus scrapes.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tiny_http::{Header, Method, Request, Response, Server};

use super::figures::Figures;
use crate::cli::error::CliError;
use crate::cli::output::Output;

const PATH: &str = "/metrics";
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers scrapes until it is dropped.
pub(crate) struct MetricsServer {
    figures: Arc<Figures>,
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Starts it if an address is given, and prints where it listens; port 0 is any free one, which is printed also with --quiet.
    pub(crate) fn start(
        address: Option<SocketAddr>,
        workload: String,
        output: Output,
    ) -> Result<Option<Self>, CliError> {
        let Some(address) = address else { return Ok(None) };
        let failed = |source| CliError::Metrics { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let is_any_port = address.port() == 0;
        let address = listener.local_addr().map_err(failed)?;
        let server = Server::from_listener(listener, None).map_err(|error| failed(std::io::Error::other(error)))?;
        let (server, figures) = (Arc::new(server), Arc::new(Figures::new(workload)));
        Output { quiet: output.quiet && !is_any_port, ..output }
            .progress(&format!("metrics at http://{address}{PATH}"));
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn({
            let (server, figures) = (Arc::clone(&server), Arc::clone(&figures));
            move || server.incoming_requests().for_each(|request| answer(request, &figures))
        });
        Ok(Some(Self { figures, server, thread: Some(thread.map_err(failed)?) }))
    }

    pub(super) fn figures(&self) -> &Figures {
        &self.figures
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            // It only answers.
            let _ = thread.join();
        }
    }
}

fn answer(request: Request, figures: &Figures) {
    let is_read = matches!(request.method(), Method::Get | Method::Head);
    let path = request.url().split('?').next().unwrap_or_default();
    let response = match (is_read, path) {
        (true, PATH) => {
            let header = Header::from_bytes("Content-Type", CONTENT_TYPE).expect("it is ASCII");
            Response::from_string(figures.text()).with_header(header)
        }
        (true, _) => Response::from_string(format!("the metrics are at {PATH}\n")).with_status_code(404),
        (false, _) => Response::from_string("expected GET\n").with_status_code(405),
    };
    // The scraper has gone: it will come again.
    let _ = request.respond(response);
}

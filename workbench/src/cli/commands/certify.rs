//! `certify`.

use std::path::Path;

use crate::certify::{Certificate, CertifyRequest, CertifySpec, run as certify};
use crate::cli::args::certify::CertifyArgs;
use crate::cli::commands::certified::{print, print_check};
use crate::cli::error::CliError;
use crate::cli::metrics::{MeteredObserver, MetricsServer};
use crate::cli::output::Output;
use crate::cli::progress::CertifyProgress;
use crate::cli::resolve;
use crate::host::{HostProfile, warnings};
use crate::load::{JobContext, Objective, Source, WarmUp, Writers, directory_bytes};
use crate::process::{SourceSpec, confined};
use crate::report::{Outcome, ReportDirectory};
use crate::workload::path_text;
use crate::{render, units};

pub(crate) fn run(args: &CertifyArgs, output: Output) -> Result<Outcome, CliError> {
    if let Some(path) = &args.check {
        return check(args, path, output);
    }
    let (Some(origin), Some(rate), Some(objective)) = (&args.source, &args.rate, &args.slo) else {
        return Err(CliError::Usage("certify needs a workload or trace, --rate and --slo".to_owned()));
    };
    let host = HostProfile::detect(resolve::data_directory(&args.data)?);
    let memory = confined::memory(args.machine.machine.as_ref())?;
    let source = source(args, origin, args.seed)?;
    resolve::note_repetition(&source, output);
    let rate = rate.commands_per_second(&source)?;
    let writers = resolve::writers(args.writers, &host, &source, output);
    let request = request(args, origin, &source, host, writers, rate, objective.clone());
    let control = resolve::stop_on_ctrl_c(output)?;
    let metrics = MetricsServer::start(args.metrics.metrics, path_text(origin), output)?;
    let progress = CertifyProgress::new(output, &request.spec);
    let observer = MeteredObserver::new(&progress, metrics.as_ref());
    let job = JobContext { observer: &observer, control: &control, memory: memory.as_ref() };
    let certified = certify(&request, job, &|mode, left| progress.show(mode, left));
    progress.line.finish();
    let certified = certified?;
    let certificate = &certified.certificate;
    let Some((report, files)) = certified.report else {
        output.result(certificate, || print(certificate, output))?;
        let databases = certified.journal.head().databases();
        output.progress(&format!(
            "interrupted: finished segments are in {}, the database is in {} ({})\nresume with: {}",
            certified.journal.path().display(),
            databases.display(),
            units::bytes(directory_bytes(&databases) as f64),
            request.command
        ));
        return Ok(Outcome::Inconclusive);
    };
    let written = ReportDirectory::new(&args.reports_dir).attach(files).write(&report, &render::report(&report))?;
    certified.journal.remove()?;
    output.result(certificate, || {
        print(certificate, output)?;
        output.line(&format!("Certificate: {}", written.join("certificate.json").display()))
    })?;
    Ok(certificate.verdict.outcome)
}

fn source(args: &CertifyArgs, origin: &Path, seed: Option<u64>) -> Result<Source, CliError> {
    let spec = SourceSpec { origin: origin.to_owned(), seed, allow_truncated: args.allow_truncated };
    resolve::grown(&spec.read(&args.data.data_dir, None)?, args.grown_by)
}

fn request<'a>(
    args: &'a CertifyArgs,
    origin: &'a Path,
    source: &'a Source,
    host: HostProfile,
    writers: Writers,
    rate_per_second: f64,
    objective: Objective,
) -> CertifyRequest<'a> {
    let machine_spec = resolve::machine_spec(&args.machine, &host);
    let spec = CertifySpec {
        rate_per_second,
        objective,
        duration: args.duration,
        slice: args.slice,
        segment: args.segment.unwrap_or_else(|| CertifySpec::default_segment(args.slice)),
        warmup: WarmUp::STEADY,
        durabilities: resolve::durabilities(args.durability),
        writers,
    };
    CertifyRequest {
        source,
        origin,
        spec,
        host_warnings: warnings(&host).into_iter().chain(confined::warning()).collect(),
        host,
        tuning: crate::report::tuning_info(&machine_spec),
        machine_spec,
        data_directory: &args.data.data_dir,
        reports_directory: &args.reports_dir,
        command: resolve::command_line().replace(" --fresh", ""),
        fresh: args.fresh,
        anyway: args.data.anyway,
    }
}

/// Checks the checksum of a certificate, and its source if one is named.
fn check(args: &CertifyArgs, path: &Path, output: Output) -> Result<Outcome, CliError> {
    let (certificate, checked) = Certificate::read(path)?;
    let mut problem = checked.err().map(|mismatch| mismatch.to_string());
    if let Some(origin) = args.source.as_deref().filter(|_| problem.is_none()) {
        let seed = args.seed.unwrap_or(certificate.inputs.seed);
        let source = source(args, origin, Some(seed))?;
        if !certificate.inputs.are_of(&source, origin)? {
            problem = Some(format!("it is not about {} with the seed {seed}", path_text(origin)));
        }
    }
    print_check(&certificate, path, args.source.as_deref(), problem.as_deref(), output)?;
    Ok(if problem.is_none() { Outcome::Pass } else { Outcome::Fail })
}

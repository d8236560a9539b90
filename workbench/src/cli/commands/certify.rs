//! `certify`.

use std::fs;
use std::path::Path;

use crate::certify::{Certificate, CertifyRequest, CertifySpec, run as certify};
use crate::cli::args::{CertifyArgs, SourceArgs};
use crate::cli::commands::certified::{print, print_check};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::CertifyProgress;
use crate::cli::{output, resolve};
use crate::host::{HostProfile, warnings};
use crate::load::{JobContext, Objective, Source, WarmUp, directory_bytes};
use crate::process::confined;
use crate::report::{Outcome, ReportDirectory};
use crate::{render, units};

pub(crate) fn run(args: &CertifyArgs, output: Output) -> Result<Outcome, CliError> {
    if let Some(path) = &args.check {
        return check(args, path, output);
    }
    let (origin, rate, objective) = required(args)?;
    let source = resolve::source(&source_args(args, origin, args.seed), &args.data_dir, None)?;
    let request = request(args, origin, &source, rate, objective)?;
    let control = resolve::stop_on_ctrl_c()?;
    let progress = CertifyProgress::new(output, &request.spec);
    let job = JobContext { observer: &progress, control: &control };
    let certified = certify(&request, job, &|mode, left| progress.show(mode, left));
    progress.finish();
    let certified = certified?;
    let certificate = &certified.certificate;
    let Some((report, files)) = certified.report else {
        let shown = if output.is_json() { output::json(certificate) } else { print(certificate, output) };
        output::ignore_broken_pipe(shown)?;
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
    let shown = if output.is_json() {
        output::json(certificate)
    } else {
        print(certificate, output)
            .and_then(|()| output.line(&format!("Certificate: {}", written.join("certificate.json").display())))
    };
    output::ignore_broken_pipe(shown)?;
    Ok(certificate.verdict.outcome)
}

/// What clap requires unless a certificate is checked.
fn required(args: &CertifyArgs) -> Result<(&str, f64, Objective), CliError> {
    match (args.source.as_deref(), args.rate, args.slo) {
        (Some(source), Some(rate), Some(objective)) => Ok((source, rate, objective)),
        _ => Err(CliError::Usage("certify needs a workload or trace, --rate and --slo".to_owned())),
    }
}

fn source_args(args: &CertifyArgs, source: &str, seed: Option<u64>) -> SourceArgs {
    SourceArgs { source: source.to_owned(), seed, allow_truncated: args.allow_truncated }
}

fn request<'a>(
    args: &'a CertifyArgs,
    origin: &'a str,
    source: &'a Source,
    rate_per_second: f64,
    objective: Objective,
) -> Result<CertifyRequest<'a>, CliError> {
    fs::create_dir_all(&args.data_dir)
        .map_err(|source| CliError::DataDirectory { path: args.data_dir.clone(), source })?;
    let host = HostProfile::detect(&args.data_dir);
    let machine_spec = resolve::machine_spec(&args.machine, &host);
    let spec = CertifySpec {
        rate_per_second,
        objective,
        duration: args.duration,
        slice: args.slice,
        segment: args.segment.unwrap_or_else(|| CertifySpec::default_segment(args.slice)),
        warmup: WarmUp::STEADY,
        durabilities: resolve::durabilities(args.durability),
        workers: resolve::workers(args.workers, &host, source),
    };
    Ok(CertifyRequest {
        source,
        origin,
        spec,
        host_warnings: warnings(&host).into_iter().chain(confined::warning()).collect(),
        host,
        tuning: crate::report::tuning_info(&machine_spec),
        machine_spec,
        data_directory: &args.data_dir,
        reports_directory: &args.reports_dir,
        command: resolve::command_line().replace(" --fresh", ""),
        fresh: args.fresh,
    })
}

/// Checks the checksum of a certificate, and its source if one is named.
fn check(args: &CertifyArgs, path: &Path, output: Output) -> Result<Outcome, CliError> {
    let (certificate, checked) = Certificate::read(path)?;
    let mut problem = checked.err().map(|mismatch| mismatch.to_string());
    if let Some(origin) = args.source.as_deref().filter(|_| problem.is_none()) {
        let seed = args.seed.unwrap_or(certificate.inputs.seed);
        let source = resolve::source(&source_args(args, origin, Some(seed)), &args.data_dir, None)?;
        if !certificate.inputs.are_of(&source, Path::new(origin))? {
            problem = Some(format!("it is not about {origin} with the seed {seed}"));
        }
    }
    print_check(&certificate, path, args.source.as_deref(), problem.as_deref(), output)?;
    Ok(if problem.is_none() { Outcome::Pass } else { Outcome::Fail })
}

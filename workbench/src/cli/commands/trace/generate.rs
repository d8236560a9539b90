//! `trace generate`.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::print_replay;
use crate::cli::args::trace::GenerateArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::{output_file, resolve};
use crate::load::arrival_times;
use crate::trace::{GenerateLength, GenerateOptions, GenerateSummary, Preload};
use crate::workload::Workload;
use crate::{trace, units};

pub(crate) fn run(args: &GenerateArgs, output: Output) -> Result<(), CliError> {
    let options = options(args);
    let output = output_file::admit(Some(&args.output), args.overwrite, std::slice::from_ref(&args.workload), output)?;
    let mut workload = Workload::find(&args.workload)?;
    workload.seed = args.seed.unwrap_or(workload.seed);
    let workload = Arc::new(workload);
    let bar = bar(&options, output);
    let times = arrival_times(workload.arrivals, options.per_second, workload.seed);
    let control = resolve::stop_on_ctrl_c(output)?;
    let generated = trace::generate(&workload, &args.output, &options, times, |commands| {
        bar.set_position(commands);
        !control.is_stopped()
    });
    bar.finish_and_clear();
    print(args, &workload, &options, generated?, output)
}

fn options(args: &GenerateArgs) -> GenerateOptions {
    let length = args.duration.map_or(GenerateLength::Commands(args.commands), GenerateLength::Time);
    let preload = if args.preload { Preload::AsCommands } else { Preload::AsPast };
    GenerateOptions { length, preload, per_second: args.rate }
}

fn bar(options: &GenerateOptions, output: Output) -> ProgressBar {
    let bar = match options.length {
        _ if !output.shows_bars() => ProgressBar::hidden(),
        GenerateLength::Commands(commands) => ProgressBar::new(commands),
        GenerateLength::Time(_) => ProgressBar::no_length(),
    };
    let style = ProgressStyle::with_template("generating {wide_bar} {pos} commands");
    bar.with_style(style.expect("the template is valid"))
}

fn print(
    args: &GenerateArgs,
    workload: &Workload,
    options: &GenerateOptions,
    summary: GenerateSummary,
    output: Output,
) -> Result<(), CliError> {
    let (path, seconds) = (args.output.display().to_string(), summary.duration_ns as f64 / 1e9);
    let document = serde_json::json!({
        "trace": path,
        "workload": workload.name,
        "seed": workload.seed,
        "offered_commands_per_second": options.per_second,
        "commands_count": summary.commands,
        "operations_count": summary.operations,
        "duration_seconds": seconds,
    });
    output.result(&document, || {
        let commands = units::counted(summary.commands, "command");
        let operations = units::counted(summary.operations, "storage operation");
        output.line(&format!("{commands}, {operations} in {}", units::seconds(seconds)))?;
        for population in workload.populations.iter().filter(|_| !args.preload) {
            let events = population.preload.events_per_actor;
            if events > 0 {
                let (events, name) = (units::counted(events, "event"), &population.name);
                output.line(&format!("  each actor of {name} starts with {events} from before the trace"))?;
            }
        }
        print_replay("Trace", &args.output, " --speed 1", output)
    })
}

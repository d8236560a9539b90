//! `trace generate`.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::args::GenerateArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::Output;
use crate::load::arrival_times;
use crate::report::Outcome;
use crate::trace::{GenerateLength, GenerateOptions, GenerateSummary, Preload};
use crate::workload::Workload;
use crate::{trace, units};

pub(crate) fn generate(args: &GenerateArgs, output: Output) -> Result<Outcome, CliError> {
    let options = options(args);
    let mut workload = Workload::find(&args.workload)?;
    workload.seed = args.seed.unwrap_or(workload.seed);
    let workload = Arc::new(workload);
    let bar = bar(&options, output);
    let times = arrival_times(workload.arrivals, options.per_second, workload.seed);
    let generated = trace::generate(&workload, &args.output, &options, times, |commands| {
        if let Some(bar) = &bar {
            bar.set_position(commands);
        }
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    print(args, &workload, &options, generated?, output)?;
    Ok(Outcome::Pass)
}

fn options(args: &GenerateArgs) -> GenerateOptions {
    let length = args.duration.map_or(GenerateLength::Commands(args.commands), GenerateLength::Time);
    let preload = if args.preload { Preload::AsCommands } else { Preload::AsPast };
    GenerateOptions { length, preload, per_second: args.rate }
}

fn bar(options: &GenerateOptions, output: Output) -> Option<ProgressBar> {
    let bar = match options.length {
        GenerateLength::Commands(commands) => ProgressBar::new(commands),
        GenerateLength::Time(_) => ProgressBar::no_length(),
    };
    let style = ProgressStyle::with_template("generating {wide_bar} {pos} commands").ok()?;
    output.shows_bars().then(|| bar.with_style(style))
}

fn print(
    args: &GenerateArgs,
    workload: &Workload,
    options: &GenerateOptions,
    summary: GenerateSummary,
    output: Output,
) -> Result<(), CliError> {
    let path = args.output.display();
    if output.is_json() {
        return output::json(&serde_json::json!({
            "trace": path.to_string(),
            "workload": workload.name,
            "seed": workload.seed,
            "offered_commands_per_second": options.per_second,
            "commands_count": summary.commands,
            "operations_count": summary.operations,
            "duration_seconds": summary.duration_ns as f64 / 1e9,
        }));
    }
    output.line(&format!(
        "{}, {} in {}",
        units::counted(summary.commands, "command"),
        units::counted(summary.operations, "storage operation"),
        units::seconds(summary.duration_ns as f64 / 1e9),
    ))?;
    if workload.preload.events_per_actor > 0 && !args.preload {
        let preloaded = units::counted(workload.preload.events_per_actor, "event");
        output.line(&format!("  each actor starts with {preloaded} from before the trace"))?;
    }
    output.line(&format!("Trace: {path}\nReplay it with `ave-workbench run {path} --speed 1`."))
}

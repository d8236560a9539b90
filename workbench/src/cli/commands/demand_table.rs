//! What a plan prints about costs and demand.

use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table};
use crate::report::{DemandInfo, DemandMode, DemandStep, MachineStanding, PlanResult, TargetMachine};
use crate::units;

/// The machine for each rate and target, and every machine with its reason; only where the reader asked for machines, for
/// several targets, for growth, or for another ranking.
pub(super) fn print(plan: &PlanResult, output: Output) -> Result<(), CliError> {
    let Some(demand) = &plan.demand else { return Ok(()) };
    let is_asked_for = plan.catalogue.is_some() || plan.ranked_from.is_some() || is_uncertain(demand);
    if !is_asked_for {
        return Ok(());
    }
    let currency = plan.catalogue.as_ref().and_then(|catalogue| catalogue.currency.as_deref());
    for mode in &demand.modes {
        output.line(&format!("\nDurability {}:", mode.durability))?;
        output.line(&machines(mode, currency))?;
        output.line(&format!("\n{}", steps(mode, currency)))?;
        if is_uncertain(demand) {
            output.line(&format!("\n{}", targets(mode, demand.months, currency)))?;
        }
    }
    Ok(())
}

fn is_uncertain(demand: &DemandInfo) -> bool {
    demand.targets_per_second.len() > 1 || demand.growth_percent_per_month > 0.0
}

/// What the machines of a plan cost, in a line; `None` if none has a price.
pub(super) fn cost(plan: &PlanResult) -> Option<String> {
    let parts = plan.recommendations.iter().filter_map(|one| {
        let (name, cost) = (one.profile.as_ref()?, one.cost.as_ref()?);
        let [month, million] = [cost.per_month, cost.per_million_commands].map(|it| units::money(it, &cost.currency));
        Some(format!("{} {name} {month} per month, {million} per million commands", one.durability))
    });
    let mut parts: Vec<_> = parts.collect();
    let currency = plan.catalogue.as_ref().and_then(|catalogue| catalogue.currency.as_deref());
    let durability = plan.demand.as_ref().and_then(|demand| demand.durability_per_month).zip(currency);
    parts.extend(
        durability.map(|(more, currency)| format!("durability costs {} per month", units::money(more, currency))),
    );
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn price(price: Option<f64>, currency: &str) -> String {
    price.map_or_else(units::absent, |price| units::money(price, currency))
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(units::absent, units::rate)
}

/// A table with a column of prices where there is a currency.
fn table<R>(
    header: [&str; 3],
    currency: Option<&str>,
    rows: &[R],
    cells: impl Fn(&R) -> ([String; 3], Option<f64>),
) -> String {
    let mut columns: Vec<&str> = header[..2].to_vec();
    columns.extend(currency.map(|_| "per month"));
    columns.push(header[2]);
    let row = |row: &R| {
        let ([first, second, last], per_month) = cells(row);
        let per_month = currency.map(|currency| price(per_month, currency));
        [first, second].into_iter().chain(per_month).chain([last]).collect()
    };
    figure_table(&columns, columns.len(), rows.iter().map(row).collect())
}

fn machines(mode: &DemandMode, currency: Option<&str>) -> String {
    table(["machine", "enough up to", "reason"], currency, &mode.machines, |machine: &MachineStanding| {
        let mark = if machine.is_chosen { " ←" } else { "" };
        let cells = [format!("{}{mark}", machine.profile), rate(machine.usable_per_second), machine.reason.clone()];
        (cells, machine.price_per_month)
    })
}

fn steps(mode: &DemandMode, currency: Option<&str>) -> String {
    table(["demand up to", "smallest", "cheapest"], currency, &mode.steps, |step: &DemandStep| {
        let cheapest = step.cheapest.clone().unwrap_or_else(units::absent);
        ([units::rate(step.to_per_second), step.smallest.clone(), cheapest], step.price_per_month)
    })
}

fn targets(mode: &DemandMode, months: f64, currency: Option<&str>) -> String {
    table(["target", "machine", "enough for"], currency, &mode.targets, |target: &TargetMachine| {
        let machine = target.profile.clone().unwrap_or_else(|| "none is known".to_owned());
        let enough_for = match (&target.profile, target.enough_for_months) {
            (None, _) => units::absent(),
            (Some(_), Some(until)) => units::months(until),
            (Some(_), None) => format!("{} or more", units::months(months)),
        };
        ([units::rate(target.per_second), machine, enough_for], target.price_per_month)
    })
}

//! What `plan` ends with: a row for every machine that was tried, and what holds for all of them.

use super::demand_table;
use crate::actor::Durability;
use crate::cli::error::CliError;
use crate::cli::output::{self, Output, figure_table};
use crate::report::{
    CatalogueInfo, DurabilityPrice, DurableRate, Evidence, MachineMode, PlanDisk, PlanResult, PredictedMode,
    PredictionInfo, ProfileEvidence, Resource, WhatIfInfo, WhatIfMode,
};
use crate::units;

const UNKNOWN: &str = "–";

pub(super) fn print(plan: &PlanResult, price: Option<&DurabilityPrice>, output: Output) -> Result<(), CliError> {
    output.line(&caption(plan))?;
    output.line(&if plan.predictions.is_empty() { table(plan) } else { hosts(plan) })?;
    let predicted = predicted(plan);
    if !predicted.is_empty() {
        let predicted: Vec<_> = predicted.iter().map(|(label, text)| (label.as_str(), text.clone())).collect();
        output.line(&format!("\n{}", output::facts(&predicted)))?;
    }
    let facts = facts(plan, price);
    if !facts.is_empty() {
        output.line(&format!("\n{}", output::facts(&facts)))?;
    }
    demand_table::print(plan, output)
}

/// `Target 2,000 commands/s with 30 % headroom: 2,857 needed, each with persist p99 within 10 ms`.
fn caption(plan: &PlanResult) -> String {
    let commands = units::commands_per_second(plan.target_per_second);
    let target = match plan.transaction() {
        Some(request) => format!("{} ({commands})", request.rate(plan.target_per_second)),
        None => commands,
    };
    format!(
        "Target {target} with {} headroom: {} needed, {} {} within {}\n",
        units::percent(plan.headroom_percent),
        units::number(plan.required_per_second),
        plan.slo.command,
        plan.slo.percentile,
        units::duration(plan.slo.limit_ns as f64)
    )
}

fn table(plan: &PlanResult) -> String {
    let percentile = format!("{} at\ntarget", plan.slo.percentile);
    let header = ["machine", "durable", "evidence", "holds", "binds", "per\nsecond", &percentile, "memory"];
    figure_table(&header, 5, plan.profiles.iter().flat_map(|known| rows(plan, known)).collect())
}

/// A row per host and durability mode, and below them the host for each target.
fn hosts(plan: &PlanResult) -> String {
    let modes = plan.predictions.iter().flat_map(|host| &host.modes);
    let targets = modes.map(|mode| &mode.targets).next().map(Vec::as_slice).unwrap_or_default();
    let targets: Vec<_> = targets.iter().map(|target| units::rate(target.target_per_second)).collect();
    let mut header = vec!["host", "cores", "RAM", "sync", "durable", "per second"];
    header.extend(targets.iter().map(String::as_str));
    header.push("sure");
    let mut rows: Vec<_> = plan.predictions.iter().flat_map(host_rows).collect();
    let preferred = CatalogueInfo::preference(plan.catalogue.as_ref());
    rows.extend(plan.demand.iter().flat_map(|demand| &demand.modes).map(|mode| {
        let none = || "none".to_owned();
        let names = mode.targets.iter().map(|target| target.profile.clone().unwrap_or_else(none));
        let blank = || std::iter::repeat_n(String::new(), 3);
        let first =
            [preferred.to_owned()].into_iter().chain(blank()).chain([mode.durability.to_string(), String::new()]);
        first.chain(names).chain([String::new()]).collect()
    }));
    figure_table(&header, header.len(), rows)
}

fn host_rows(host: &PredictionInfo) -> Vec<Vec<String>> {
    let sync = host.sync_p50_ns.map_or_else(units::absent, |ns| units::duration(ns as f64));
    let size = [host.host.usable_cores_count.to_string(), units::bytes(host.host.usable_ram_bytes as f64), sync];
    let row = |(place, mode): (usize, &PredictedMode)| {
        let named = [host.profile.clone()].into_iter().chain(size.clone());
        // The first row names the host.
        let named = named.map(|cell| if place == 0 { cell } else { String::new() });
        let answers = mode.targets.iter().map(|target| target.word().to_owned());
        let sure = mode.certainty.map_or_else(units::absent, |level| level.name().to_owned());
        named.chain([mode.durability.to_string(), mode.rate()]).chain(answers).chain([sure]).collect()
    };
    host.modes.iter().enumerate().map(row).collect()
}

/// A row per durability mode in which the machine was tried or is recommended; the first one names it. What follows from
/// another machine has no other row.
fn rows(plan: &PlanResult, known: &ProfileEvidence) -> Vec<Vec<String>> {
    let names = std::iter::once(known.profile.clone()).chain(std::iter::repeat(String::new()));
    let shown = known.modes.iter().filter(|mode| has_row(plan, known, mode));
    names.zip(shown).map(|(name, mode)| row(plan, known, name, mode)).collect()
}

fn has_row(plan: &PlanResult, known: &ProfileEvidence, mode: &MachineMode) -> bool {
    let recommended = plan.recommendation(mode.durability).and_then(|one| one.profile.as_ref());
    !matches!(mode.evidence, Evidence::Implied | Evidence::NotMeasured) || recommended == Some(&known.profile)
}

fn row(plan: &PlanResult, known: &ProfileEvidence, name: String, mode: &MachineMode) -> Vec<String> {
    let memory = mode.process_peak_bytes.map(|bytes| units::bytes(bytes as f64));
    // In words that leave room for the rest of the row.
    let evidence = match mode.evidence {
        Evidence::CoresEmulated => "cores only",
        other => other.name(),
    };
    vec![
        name,
        mode.durability.to_string(),
        evidence.to_owned(),
        mode.holds.map_or("?", |holds| if holds { "yes" } else { "no" }).to_owned(),
        binds(mode).unwrap_or(UNKNOWN).to_owned(),
        rate(mode),
        at_target(plan, known, mode.durability).unwrap_or_else(|| UNKNOWN.to_owned()),
        memory.unwrap_or_else(|| UNKNOWN.to_owned()),
    ]
}

fn binds(mode: &MachineMode) -> Option<&'static str> {
    match mode.binds()?.resource {
        Resource::WriteBandwidth => Some("bandwidth"),
        resource => resource.name(),
    }
}

/// The highest rate that met the objective, or where an extrapolated one lies.
fn rate(mode: &MachineMode) -> String {
    match (mode.range_per_second, mode.sustained_per_second) {
        (Some([low, high]), _) => format!("{} – {}", units::number(low), units::number(high)),
        (None, Some(rate)) if mode.evidence == Evidence::Implied => format!("≥ {}", units::number(rate)),
        (None, Some(rate)) => units::number(rate),
        (None, None) => "none".to_owned(),
    }
}

/// The objective's percentile at the target, of the machine that it was measured on.
fn at_target(plan: &PlanResult, known: &ProfileEvidence, durability: Durability) -> Option<String> {
    let recommendation = plan.recommendation(durability)?;
    let expected = recommendation.expected.as_ref()?;
    if expected.measured_on.as_ref().or(recommendation.profile.as_ref()) != Some(&known.profile) {
        return None;
    }
    let found = expected.response.percentile(plan.slo.percentile)?;
    Some(units::duration(found.value_ns as f64))
}

fn facts(plan: &PlanResult, price: Option<&DurabilityPrice>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    // The table of hosts has all of them.
    let machines = || plan.profiles.iter().filter(|_| plan.predictions.is_empty());
    for (label, kind) in [("at least the same", Evidence::Implied), ("not measured", Evidence::NotMeasured)] {
        let has_no_row = |known: &&ProfileEvidence| !known.modes.iter().any(|mode| has_row(plan, known, mode));
        let of_kind = machines().filter(|known| known.evidence == kind).filter(has_no_row);
        let names: Vec<_> = of_kind.map(|known| known.profile.as_str()).collect();
        if !names.is_empty() {
            facts.push((label, names.join(", ")));
        }
    }
    facts.extend(demand_table::cost(plan).map(|cost| ("cost", cost)));
    facts.extend(price.map(|price| ("price of durability", cost(price))));
    facts.push(("disk per day", growth(plan)));
    let restart = plan.forecast.as_ref().and_then(|forecast| forecast.restart.as_ref());
    facts.extend(restart.map(|restart| {
        let actors = units::counted(restart.actors_count, "actor");
        ("restart", format!("{} with {actors}", units::seconds(restart.seconds.expected)))
    }));
    facts.extend(plan.disk.iter().flat_map(disk));
    facts.extend(plan.what_if.as_ref().map(|what_if| ("what if", changed(what_if))));
    facts
}

/// What each host will sustain, from what, and how that compares with what was measured there.
fn predicted(plan: &PlanResult) -> Vec<(String, String)> {
    let of = |host: &PredictionInfo, mode: &PredictedMode| {
        let label = format!("{}, {}", host.profile, mode.durability);
        let from = mode.base.as_ref().map_or_else(String::new, |base| {
            format!("; {} of {base}, {}", mode.base_per_second.map_or_else(units::absent, units::rate), mode.inputs())
        });
        let note = if mode.note.is_empty() { String::new() } else { format!(": {}", mode.note) };
        let error = format!("; error of the functions {}", units::percent(mode.model_error_percent));
        let error = if mode.per_second.is_some() { error } else { String::new() };
        let check = mode.check.as_ref().map(|check| (format!("{label}, checked there"), check.summary()));
        [(label, format!("{}{note}{from}{error}", mode.rate()))].into_iter().chain(check).collect::<Vec<_>>()
    };
    plan.predictions.iter().flat_map(|host| host.modes.iter().flat_map(move |mode| of(host, mode))).collect()
}

/// How the disk behaved, and the durable rate where it was fast, as at its median, and slow.
fn disk(disk: &PlanDisk) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(disk.swing.as_ref().map(|swing| ("sync of 4 KiB", swing.summary())));
    facts.extend(disk.comparison.as_ref().map(|comparison| ("disk profile", comparison.sentence.clone())));
    let rates = disk.durable_rates.iter().flat_map(|rates| &rates.rates);
    let text = |rate: &DurableRate| {
        let shown = rate.sustained_per_second.or(rate.ceiling_per_second)?;
        Some(format!("{} at {}", units::rate(shown), units::duration(rate.disk_sync_ns as f64)))
    };
    let rates: Vec<_> = rates.filter_map(text).collect();
    if !rates.is_empty() {
        facts.push(("durable rate by sync", rates.join(", ")));
    }
    facts
}

/// `38 % (30 % to 51 %) of the rate is left, p99 +3.1 ms at the target; without it a power loss loses up to the last 30 s`.
fn cost(price: &DurabilityPrice) -> String {
    let band = |[low, high]: [f64; 2]| format!(" ({} to {})", units::percent(low), units::percent(high));
    let ratio = price.throughput.as_ref().map(|price| {
        let band = price.kept_band_percent.map(band).unwrap_or_default();
        format!("{}{band} of the rate is left", units::percent(price.kept_percent))
    });
    let p99 = price.latency.as_ref().and_then(|price| {
        let added = units::duration_difference(price.added_p99_ns?);
        Some(format!("p99 {added} at the {} rate", if price.at_target { "target" } else { "required" }))
    });
    let known: Vec<_> = [ratio, p99].into_iter().flatten().collect();
    let known = if known.is_empty() { "not known".to_owned() } else { known.join(", ") };
    let risk = price.at_risk.as_ref().map_or_else(String::new, |risk| {
        format!("; without it a power loss loses up to the last {}", units::seconds(risk.seconds))
    });
    format!("{known}{risk}")
}

fn growth(plan: &PlanResult) -> String {
    let per_day = units::bytes(plan.growth.per_day_bytes);
    format!("{per_day} at the target; {}", plan.disk_full_text())
}

/// `actors=2x: durability off nano, now small; durability on small as before`.
fn changed(what_if: &WhatIfInfo) -> String {
    let name = |machine: &Option<String>| machine.clone().unwrap_or_else(|| "none".to_owned());
    let mode = |mode: &WhatIfMode| {
        let (before, after) = (name(&mode.machine_before), name(&mode.machine_after));
        let than = if before == after { "as before".to_owned() } else { format!("instead of {before}") };
        format!("durability {} {after} {than}", mode.durability)
    };
    format!("{}: {}", what_if.changes, what_if.modes.iter().map(mode).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Binding, Report};

    /// A plan in which the smallest machine alone was tried, and every other is as good at least.
    fn plan() -> PlanResult {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json");
        let text = std::fs::read_to_string(sample).unwrap();
        let mut plan = serde_json::from_str::<Report>(&text).unwrap().plan.unwrap();
        let tried = plan.profiles[0].modes[0].clone();
        let mode = |durability, rate, holds| MachineMode {
            durability,
            evidence: Evidence::CoresEmulated,
            sustained_per_second: rate,
            range_per_second: None,
            holds: Some(holds),
            binding: Some(Binding { resource: Resource::WriteBandwidth, evidence: String::new() }),
            lacking: None,
            process_peak_bytes: Some(1_022 << 20),
            ..tried.clone()
        };
        for known in &mut plan.profiles {
            known.evidence = Evidence::Implied;
            known.modes.clear();
        }
        plan.profiles[0].evidence = Evidence::CoresEmulated;
        plan.profiles[0].modes = vec![mode(Durability::Off, Some(123_456.0), true), mode(Durability::On, None, false)];
        plan
    }

    #[test]
    fn a_machine_has_a_row_for_each_mode_and_they_fit_eighty_columns() {
        let table = table(&plan());
        let lines: Vec<_> = table.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{table}");
        let [off, on] = lines[lines.len() - 2..] else { panic!("{table}") };
        assert!(off.starts_with("nano ") && off.contains("cores only  yes") && off.contains("123,456"), "{table}");
        assert!(on.starts_with("  ") && on.contains(" on ") && on.contains("none"), "{table}");
    }

    #[test]
    fn machines_without_a_row_are_named_below() {
        let facts = facts(&plan(), None);
        let (label, names) = &facts[0];
        assert_eq!(*label, "at least the same");
        assert!(names.starts_with("micro, small, medium, large, "), "{names}");
    }
}

//! A figure is the same wherever it is printed: on the terminal, in Markdown, on the page, in JSON.

use std::fs;
use std::path::{Path, PathBuf};

use ave_workbench::compare::Comparison;
use ave_workbench::fleet::MachineComparison;
use ave_workbench::report::{ModeResult, PlanResult, Report};
use ave_workbench::units;
use serde::de::DeserializeOwned;

use super::program::{Ended, INCONCLUSIVE, MISSED, PASS, Place};
use crate::compare::comparing::{QUIET, Simulation};

/// What a command printed and wrote, without markup.
pub(crate) struct Prints {
    terminal: String,
    markdown: String,
    page: String,
    directory: PathBuf,
}

impl Prints {
    /// Of a command whose result is in the only directory below `reports`.
    pub(crate) fn of(place: &Place, ended: &Ended, name: &str) -> Self {
        assert!([PASS, MISSED, INCONCLUSIVE].contains(&ended.code), "{}{}", ended.stdout, ended.stderr);
        let visible = |path: &PathBuf| !path.file_name().unwrap().to_str().unwrap().starts_with('.');
        let directories: Vec<_> = place.reports().into_iter().filter(visible).collect();
        let [directory] = &directories[..] else { panic!("{directories:?}") };
        let read = |extension: &str| fs::read_to_string(directory.join(format!("{name}.{extension}"))).unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            terminal: words(&ended.stdout),
            markdown: words(&read("md").replace("**", "")),
            page: words(&text_of(&read("html"))),
            directory: directory.clone(),
        }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, file: &str) -> T {
        serde_json::from_str(&fs::read_to_string(self.directory.join(file)).unwrap()).unwrap()
    }

    fn all(&self) -> [(&str, &str); 3] {
        [("terminal", &self.terminal), ("Markdown", &self.markdown), ("page", &self.page)]
    }

    #[track_caller]
    pub(crate) fn all_have(&self, meaning: &str, figure: &str) {
        for (medium, text) in self.all() {
            assert!(text.contains(figure), "{meaning} is {figure}, which the {medium} does not have: {text}");
        }
    }

    /// Wherever `before` stands in front of a figure, it is this one.
    #[track_caller]
    fn always(&self, before: &str, figure: &str) {
        for (medium, text) in self.all() {
            for (at, _) in text.match_indices(before) {
                let rest = text[at + before.len()..].trim_start();
                let is_figure = rest.starts_with(|c: char| c.is_ascii_digit());
                assert!(!is_figure || rest.starts_with(figure), "{medium}: {before} {rest:.40}, and {figure}");
            }
        }
    }
}

/// The text of a page: without scripts, styles and tags.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut rest = &page[page.find("<body").unwrap()..];
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = if rest[start..].starts_with("<script") { "</script>" } else { ">" };
        rest = &rest[start + rest[start..].find(end).unwrap() + end.len()..];
        // The tags of a part of a sentence leave no space.
        if !rest.starts_with([',', '.', ';', ':']) {
            text.push(' ');
        }
    }
    for (entity, character) in [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

fn rate_of(mode: &ModeResult) -> String {
    units::number(mode.achieved_per_second)
}

/// The figures that all reports have.
fn frame(prints: &Prints, report: &Report) {
    prints.all_have("the verdict", &report.verdict.sentence);
    for before in [", took", "· took"] {
        prints.always(before, &units::seconds(report.elapsed_seconds));
    }
}

#[track_caller]
fn of_run(place: &Place, ended: &Ended) {
    let prints = Prints::of(place, ended, "report");
    let report: Report = prints.json("report.json");
    frame(&prints, &report);
    for mode in &report.modes {
        prints.all_have("the rate", &rate_of(mode));
        for percentile in &mode.commands[0].response.as_ref().unwrap().percentiles {
            if ["p50", "p99", "max"].contains(&percentile.percentile.name()) {
                prints.all_have(percentile.percentile.name(), &units::duration(percentile.value_ns as f64));
            }
        }
    }
    if let [only] = &report.modes[..] {
        prints.always("offered and", &rate_of(only));
        prints.always("durability off", &rate_of(only));
    }
    if let Some(throughput) = report.durability_price.as_ref().and_then(|price| price.throughput.as_ref()) {
        prints.always("Durability keeps", &units::percent(throughput.kept_percent));
        let rates = [throughput.off_per_second, throughput.on_per_second].map(units::number);
        assert_eq!(rates.to_vec(), report.modes.iter().map(rate_of).collect::<Vec<_>>());
    }
}

/// Asserts that the figures of a plan agree.
#[track_caller]
pub(crate) fn of_plan(place: &Place, ended: &Ended) {
    let prints = Prints::of(place, ended, "report");
    let report: Report = prints.json("report.json");
    frame(&prints, &report);
    let plan: &PlanResult = report.plan.as_ref().unwrap();
    prints.all_have("the target", &units::number(plan.target_per_second));
    let growth = units::bytes(plan.growth.per_day_bytes);
    prints.all_have("the growth per day", &growth);
    prints.always("disk per day", &growth);
    let forecast = plan.forecast.as_ref().expect("a machine is recommended");
    assert_eq!(plan.growth.days_until_disk_full, forecast.days_until_disk_full);
    if let Some(day) = &forecast.disk_full_on {
        prints.always("is full on", day);
    }
    if let Some(restart) = &forecast.restart {
        prints.all_have("a restart", &units::seconds(restart.seconds.expected));
    }
    for mode in plan.profiles.iter().flat_map(|profile| &profile.modes) {
        if let Some(rate) = mode.sustained_per_second.filter(|_| mode.process_peak_bytes.is_some()) {
            prints.all_have("the sustained rate", &units::number(rate));
        }
    }
    for recommendation in &plan.recommendations {
        let machine = plan.profiles.iter().find(|known| Some(&known.profile) == recommendation.profile.as_ref());
        let machine = machine.unwrap().modes.iter().find(|mode| mode.durability == recommendation.durability).unwrap();
        let process = machine.process_peak_bytes.unwrap();
        prints.all_have("the process", &units::bytes(process as f64));
        prints.always("the process peaked at", &units::bytes(process as f64));
        if let Some(peak) = machine.memory_peak_bytes {
            prints.always("process and page cache together at", &units::bytes(peak as f64));
        }
        let limit = recommendation.container.as_ref().unwrap().memory_mib;
        prints.always("container cpu 1, memory", &format!("{limit}Mi"));
        let mode = report.modes.iter().find(|mode| mode.durability == recommendation.durability).unwrap();
        assert!(mode.resources.rss_peak_bytes <= process, "the rounds are a part of all loads");
        let capacity = plan.capacities.iter().find(|one| one.durability == recommendation.durability).unwrap();
        let offered = mode.offered_per_second.unwrap();
        assert!(
            capacity.decided.iter().any(|one| (one.rate_per_second - offered).abs() < 1e-6),
            "the rounds are those of a rate that was decided on: {offered}, {:?}",
            capacity.decided
        );
    }
}

const SHORT: &str = "--measure 300ms --warmup 0s --kills 0";

#[test]
fn the_figures_of_a_run_agree() {
    let place = Place::new();
    of_run(&place, &place.run(&format!("run tiny.toml --rounds 2 {SHORT}")));
}

/// Rounds that fall behind are longer than others.
#[test]
fn the_figures_of_an_overloaded_run_agree() {
    let place = Place::new();
    let ended = place.run(&format!("run tiny.toml --rate 150k --rounds 2 --durability off --writers 1 {SHORT}"));
    assert!(ended.stdout.contains("150,000 commands/s were offered and"), "{}", ended.stdout);
    of_run(&place, &ended);
}

#[test]
fn the_figures_of_a_certificate_agree() {
    let place = Place::new();
    let ended = place.run(
        "certify tiny.toml --rate 200 --slo p50=1m --duration 4s --slice 1s --segment 1s --writers 1 --durability off",
    );
    let prints = Prints::of(&place, &ended, "report");
    frame(&prints, &prints.json("report.json"));
    let certificate: serde_json::Value = prints.json("certificate.json");
    let worst = certificate["modes"][0]["worst_slice"]["percentile_ns"].as_f64().unwrap();
    prints.all_have("the worst slice", &units::duration(worst));
    prints.always("has p50", &units::duration(worst));
}

#[test]
fn the_figures_of_a_comparison_agree() {
    let place = Place::new();
    let mut simulation = Simulation::new(QUIET, 2);
    for (directory, factor) in [("base", 1.0), ("slow", 1.5)] {
        place.report_at(directory, &simulation.run(factor, 1.0));
    }
    let ended = place.run("compare base slow");
    let prints = Prints::of(&place, &ended, "comparison");
    let comparison: Comparison = prints.json("comparison.json");
    prints.all_have("the verdict", &comparison.sentence);
    for row in &comparison.candidates[0].rows {
        prints.all_have("a difference", &units::percent_difference(row.slower_percent));
        prints.all_have("an interval", &units::percent_interval(row.interval_percent));
    }
}

#[test]
fn the_figures_of_a_merge_agree() {
    let place = Place::new();
    for directory in ["a", "b"] {
        place.run(&format!("run tiny.toml --rounds 2 --reports-dir {directory} {SHORT}"));
    }
    let of = |directory: &str| {
        let entry = fs::read_dir(place.path(directory)).unwrap().next().unwrap().unwrap();
        Path::new(directory).join(entry.file_name()).display().to_string()
    };
    let ended = place.run(&format!("report merge {} {}", of("a"), of("b")));
    let prints = Prints::of(&place, &ended, "machines");
    let merged: MachineComparison = prints.json("machines.json");
    prints.all_have("the verdict", &merged.sentence);
    for mode in merged.machines.iter().flat_map(|machine| &machine.modes) {
        prints.all_have("the rate", &units::number(mode.achieved_per_second));
        let command = &mode.commands[0];
        for percentile in &command.response.percentiles {
            if ["p50", "p99"].contains(&percentile.percentile.name()) {
                prints.all_have(percentile.percentile.name(), &units::duration(percentile.value_ns as f64));
            }
        }
    }
}

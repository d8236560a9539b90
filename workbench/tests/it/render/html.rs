//! `report.html`: one file to show to a customer.

use ave_workbench::actor::Durability;
use ave_workbench::render::html;
use ave_workbench::report::{Binding, Evidence, Outcome, ProbeResult, ProfileEvidence, Rejection, Report, Resource};
use serde_json::Value;

use crate::support::sample;

fn position(page: &str, part: &str) -> usize {
    page.find(part).unwrap_or_else(|| panic!("{part:?} is missing"))
}

fn charts(report: &Report) -> Value {
    let page = html(report);
    let (_, after) = page.split_once(r#"<script type="application/json" id="chart-data">"#).unwrap();
    serde_json::from_str(after.split_once("</script>").unwrap().0).unwrap()
}

/// The page without its inline scripts and styles: what the report wrote.
fn markup(page: &str) -> String {
    let body = &page[position(page, "<body>")..position(page, "<script type=")];
    body.replace("&#x2f;", "/")
}

#[test]
fn the_page_asks_nothing_of_any_network() {
    let page = html(&sample::plan());
    for loader in
        [" src=", "@import", "<link", "<iframe", "<object", "<base", "srcset", "url(", "href=\"http", "href=\"//"]
    {
        assert!(!page.contains(loader), "{loader}");
    }
    for call in ["fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "importScripts", "import("] {
        assert!(!page.contains(call), "{call}");
    }
    assert!(page.contains("default-src 'none'"), "the policy of the page forbids requests");
}

#[test]
fn a_report_that_is_read_back_makes_the_same_page() {
    let mut report = sample::plan();
    // Digits that a parser in a hurry gets wrong in the last place.
    report.plan.as_mut().unwrap().capacities[0].probes[0].achieved_per_second = Some(13_448.862_587_707_321);
    let read: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(read, report);
    assert_eq!(html(&read), html(&report));
}

#[test]
fn the_page_is_well_below_a_megabyte() {
    let mut report = sample::plan();
    let series: Vec<_> = report.modes[0].series.clone();
    for mode in &mut report.modes {
        mode.series = series.iter().cycle().take(86_400).cloned().collect();
        mode.series.iter_mut().zip(1_u32..).for_each(|(slice, second)| {
            slice.round = 1;
            slice.at_seconds = f64::from(second);
        });
    }
    assert!(html(&report).len() < 500_000, "{} bytes for a day, second by second", html(&report).len());
}

#[test]
fn the_verdict_precedes_everything_and_reproduction_ends_it() {
    let page = html(&sample::plan());
    let parts = [
        r#"data-outcome="pass""#,
        r#"<section class="part" id="cost">"#,
        r#"id="why""#,
        r#"id="machines""#,
        r#"id="recommendation""#,
        r#"id="price""#,
        r#"id="profiles""#,
        r#"id="charts""#,
        r#"id="curve-chart""#,
        r#"id="probe-chart""#,
        r#"id="series-latency-chart""#,
        r#"id="scaling-chart""#,
        r#"id="growth-chart""#,
        r#"id="forecast""#,
        r#"id="latency""#,
        r#"id="resources""#,
        r#"id="verification""#,
        r#"id="disk""#,
        r#"id="host""#,
        r#"id="warnings""#,
        r#"id="terms""#,
        r#"id="reproduce""#,
    ];
    assert!(parts.map(|part| position(&page, part)).is_sorted());
}

#[test]
fn costs_are_shown_with_the_chart_the_demand_and_a_reason_for_every_machine() {
    let page = html(&sample::plan());
    for part in [
        "<h2>Cost and demand</h2>",
        "7.90 EUR per month",
        "Durability costs <strong>0.00 EUR</strong> per month",
        "medium at 7.90 EUR per month is regretted least.",
        ">2,000",
        "<title>medium: 2,205",
        "2.5 months",
        "not known: smaller than the machines that meet the objective",
        "from machines.csv.",
    ] {
        position(&page, part);
    }
    let mut report = sample::plan();
    let plan = report.plan.as_mut().unwrap();
    plan.catalogue = None;
    let page = html(&report);
    assert!(page.contains("<h2>Demand</h2>") && !page.contains("Cheapest machine"));
    assert!(
        !page.contains(r#"id="cost""#)
            && position(&page, r#"id="demand""#) < position(&page, "smallest machine for each rate")
    );
}

#[test]
fn each_outcome_has_its_mark() {
    for (outcome, word) in [(Outcome::Pass, "Pass"), (Outcome::Fail, "Fail"), (Outcome::Inconclusive, "Inconclusive")] {
        let mut report = sample::run();
        report.verdict.outcome = outcome;
        let page = html(&report);
        let class = word.to_lowercase();
        assert!(page.contains(&format!(r#"data-outcome="{class}""#)));
        assert!(page.contains(&format!(r#"<p class="word">{word}</p>"#)));
        assert!(page.contains(&format!("<title>{word}: ")));
    }
}

#[test]
fn every_profile_is_listed_and_what_was_not_measured_says_so() {
    let page = html(&sample::plan());
    let table = &page[position(&page, r#"id="profiles""#)..position(&page, "Capacity of the machine")];
    for name in ["nano", "micro", "small", "medium", "large, xlarge, 2xlarge"] {
        assert!(table.contains(&format!(r#"<th scope="row" rowspan="2">{name}<"#)), "{name}");
    }
    assert_eq!(table.matches(">not measured<").count(), 1, "machines of which the same is known are one row");
    assert_eq!(table.matches(">emulated<").count(), 4);
}

#[test]
fn the_price_of_durability_is_that_of_the_report() {
    let plan = markup(&html(&sample::plan()));
    // 3,150 of 21,400 commands per second at the objective.
    assert!(plan.contains(r#"<p class="big">14.7 %</p>"#));
    assert!(plan.contains(r#"<p class="big">+1.9 ms</p>"#), "added at the median");
    let run = markup(&html(&sample::run()));
    assert!(run.contains(r#"<p class="big">7.15 %</p>"#), "3,480 of 48,700 in a closed loop");
}

#[test]
fn bytes_written_per_day_are_listed_for_each_mode() {
    let page = markup(&html(&sample::plan()));
    for (durability, bytes, years) in [("off", "177 GiB", "8.6"), ("on", "382 GiB", "4")] {
        let mode = format!(r#", <span class="{durability}">durability {durability}</span></th><td class="num">"#);
        assert!(page.contains(&format!("Written to the disk per day{mode}{bytes}")), "{bytes}");
        assert!(page.contains(&format!("Years until the disk reaches its rated endurance{mode}{years}<")), "{years}");
    }
}

#[test]
fn without_a_price_in_throughput_the_price_in_latency_is_shown() {
    let mut report = sample::run();
    report.durability_price.as_mut().unwrap().throughput = None;
    let page = markup(&html(&report));
    assert!(!page.contains("Throughput left"));
    assert!(page.contains("Added at the median"));
}

#[test]
fn a_run_shows_no_plan_and_one_mode_shows_no_price() {
    let run = html(&sample::run());
    for absent in [r#"id="recommendation""#, r#"id="profiles""#, r#"id="probe-chart""#] {
        assert!(!run.contains(absent), "{absent}");
    }
    let bare = html(&sample::bare());
    for absent in [r#"id="price""#, r#"id="warnings""#, r#"id="series-latency-chart""#] {
        assert!(!bare.contains(absent), "{absent}");
    }
}

#[test]
fn a_plan_that_found_nothing_says_none_of_these() {
    let page = markup(&html(&sample::empty_plan()));
    assert_eq!(page.matches(r#"<p class="big">None of these</p>"#).count(), 2);
    assert!(page.contains("no rate met it"));
    for nonsense in ["NaN", "inf", "none</", "undefined"] {
        assert!(!page.contains(nonsense), "{nonsense}");
    }
}

#[test]
fn hostile_names_stay_text() {
    let hostile = r#"</script><script>alert("1")</script><img onerror='x'>"#;
    let mut report = sample::plan();
    report.name = hostile.to_owned();
    report.verdict.sentence = hostile.to_owned();
    report.settings.machine_spec = hostile.into();
    report.warnings[0].hint = hostile.to_owned();
    report.reproduce.command = hostile.to_owned();
    report.source.facts.insert(hostile.to_owned(), hostile.to_owned());
    let plan = report.plan.as_mut().unwrap();
    plan.profiles[0].reason = hostile.to_owned();
    plan.slo.command = hostile.to_owned();
    plan.recommendations[0].machine_spec = Some(hostile.into());
    for mode in &mut report.modes {
        mode.commands[0].name = hostile.to_owned();
    }
    let page = html(&report);
    assert!(!page.contains("alert(\"1\")") && !page.contains("<img"));
    assert_eq!(page.matches("<script").count(), 3, "data, library and drawing; none of the report's making");
    assert_eq!(charts(&report)["curves"][0]["name"], hostile, "the charts still show the name as it is");
}

#[test]
fn charts_hold_both_modes_and_the_objective() {
    let data = charts(&sample::plan());
    for (chart, name) in [("probes", "lines"), ("series", "lines")] {
        let modes: Vec<_> = data[chart][name].as_array().unwrap().iter().map(|line| &line["durability"]).collect();
        assert_eq!(modes, ["off", "on"], "{chart}");
    }
    assert_eq!(data["probes"]["limit_ns"], 10_000_000);
    let names: Vec<_> = data["curves"].as_array().unwrap().iter().map(|curve| &curve["name"]).collect();
    for latency in sample::plan().modes.iter().flat_map(|mode| mode.commands.iter().chain(&mode.operations)) {
        assert!(names.contains(&&Value::from(latency.name.as_str())), "{}", latency.name);
    }
}

#[test]
fn every_chart_has_a_table_for_those_without_scripts() {
    let page = html(&sample::plan());
    assert_eq!(page.matches(r#"<details class="behind-chart" open>"#).count(), 4);
    let page = &page[position(&page, "<main>")..];
    assert_eq!(
        page.matches(r#"<div class="plot"#).count(),
        page.matches(r#"role="img" aria-label="#).count() - marks(page)
    );
}

/// Ticks and crosses, gauges and bars are images too, to a screen reader.
fn marks(page: &str) -> usize {
    page.matches(r#"role="img" aria-label="sustains"#).count()
        + page.matches(r#"role="img" aria-label="does not"#).count()
        + page.matches(r#"<svg class="gauge"#).count()
        + page.matches(r#"<svg class="against"#).count()
}

#[test]
fn certainty_is_shown_where_the_verdict_has_one() {
    let mut report = sample::plan();
    let page = markup(&html(&report));
    assert!(page.contains("How sure: moderate."));
    assert!(page.contains("only 10 % above the rate needed.</li>"));
    report.verdict.certainty = None;
    assert!(!html(&report).contains("How sure"));
}

#[test]
fn what_a_plan_does_not_cover_stands_beside_how_sure_it_is() {
    let mut report = sample::plan();
    let page = markup(&html(&report));
    assert!(page.contains("<li>loads longer than 20 s: certify the rate before you buy.</li>"), "{page}");
    assert!(position(&page, "Not covered:") < position(&page, r#"id="machines""#));
    report.plan.as_mut().unwrap().not_covered.clear();
    assert!(!html(&report).contains("Not covered:"));
}

#[test]
fn stalls_are_shaded_where_they_were_and_counted() {
    let mut report = sample::run();
    let slices = [false, true, true, false, true];
    for mode in &mut report.modes {
        mode.series.truncate(slices.len());
        for ((slice, &stalled), second) in mode.series.iter_mut().zip(&slices).zip(1_u32..) {
            slice.at_seconds = f64::from(second);
            slice.stall_ms = Some(if stalled { 40.0 } else { 0.0 });
        }
    }
    let stalls = charts(&report)["series"]["lines"][0]["stalls"].clone();
    assert_eq!(stalls, serde_json::json!([[1.0, 3.0], [4.0, 5.0]]), "seconds in a row are one stall");
    assert!(markup(&html(&report)).contains("in 6 slices of time"));
    report.modes.iter_mut().flat_map(|mode| &mut mode.series).for_each(|slice| slice.stall_ms = Some(0.0));
    assert!(markup(&html(&report)).contains("the engine never delayed or stopped writers"));
}

#[test]
fn the_scaling_fit_stands_with_its_points_and_the_growth_with_its_band() {
    let report = sample::plan();
    let data = charts(&report);
    assert_eq!(data["scaling"]["measured_cores"], 2);
    let line = &data["scaling"]["lines"][0];
    assert_eq!((line["points"].as_array().unwrap().len(), line["curve"].as_array().unwrap().len()), (3, 4));
    let growth = &data["growth"];
    let columns = ["low_bytes", "expected_bytes", "high_bytes"].map(|name| growth[name].as_array().unwrap().clone());
    for ((low, expected), high) in columns[0].iter().zip(&columns[1]).zip(&columns[2]) {
        assert!(low.as_f64() <= expected.as_f64() && expected.as_f64() <= high.as_f64());
    }
    let days = growth["at_seconds"].as_array().unwrap();
    assert_eq!(days[1].as_i64().unwrap() - days[0].as_i64().unwrap(), 86_400);
}

#[test]
fn charts_without_data_are_left_out() {
    let mut report = sample::plan();
    let plan = report.plan.as_mut().unwrap();
    plan.scaling.clear();
    plan.forecast.as_mut().unwrap().sizes.clear();
    let page = markup(&html(&report));
    assert!(!page.contains("scaling-chart") && !page.contains("growth-chart"));
    assert!(page.contains(r#"id="forecast""#), "the figures are there");
}

#[test]
fn a_day_of_seconds_keeps_its_worst_one() {
    let mut report = sample::plan();
    let slice = report.modes[1].series[0].clone();
    let mode = report.modes.iter_mut().find(|mode| mode.durability == Durability::On).unwrap();
    mode.series = (1..=10_000_u32)
        .map(|second| {
            let mut slice = slice.clone();
            slice.at_seconds = f64::from(second);
            slice.p99_ns = if second == 4_321 { 987_654_321 } else { 1_000 };
            slice
        })
        .collect();
    let data = charts(&report);
    let worst = data["series"]["lines"][1]["p99_ns"].as_array().unwrap().iter().filter_map(Value::as_u64).max();
    assert_eq!(worst, Some(987_654_321));
}

#[test]
fn verification_says_what_it_found_and_what_it_did_not_look_at() {
    let mut report = sample::run();
    report.modes[0].verification.performed = false;
    report.modes[1].verification.differences = vec!["actor 17: event 4 is missing".to_owned()];
    let page = markup(&html(&report));
    assert!(page.contains("Not verified."));
    assert!(page.contains("<li>actor 17: event 4 is missing</li>"));
}

#[test]
fn what_was_found_after_kills_is_said_with_what_it_does_not_show() {
    let mut report = sample::run();
    let page = markup(&html(&report));
    assert!(page.contains("✓ killed 3 times while writing: 41,233 acknowledged events"), "{page}");
    assert!(page.contains("not a power cut"));
    let crash = report.modes[1].verification.crash.as_mut().unwrap();
    crash.differences = vec!["kill 2: actor 17: event 4 was acknowledged and is lost".to_owned()];
    crash.lost_count = 1;
    let page = markup(&html(&report));
    assert!(page.contains("✗ killed 3 times") && page.contains("checked, 1 lost"));
    assert!(page.contains("<li>kill 2: actor 17: event 4 was acknowledged and is lost</li>"));
    assert!(page.contains("<p>power cut: not tried.</p>"));
    let verification = &mut report.modes[1].verification;
    verification.power_cut = verification.crash.clone();
    let page = markup(&html(&report));
    assert!(page.contains("✗ power cut: tried, 3 times while writing") && page.contains("Each power cut also kills"));
    report.modes.iter_mut().for_each(|mode| (mode.verification.crash, mode.verification.power_cut) = (None, None));
    assert!(!html(&report).contains("power cut"));
}

#[test]
fn machines_are_bars_on_one_axis_and_those_that_were_not_tried_one_line() {
    let mut report = sample::plan();
    let plan = report.plan.as_mut().unwrap();
    let tried = plan.profiles[3].clone();
    for profile in &mut plan.profiles[4..] {
        profile.evidence = Evidence::Implied;
        profile.reason = "has at least the cores and the memory of medium: at least that rate".to_owned();
        profile.modes = tried.modes.clone();
        profile.modes.iter_mut().for_each(|mode| mode.evidence = Evidence::Implied);
    }
    let page = markup(&html(&report));
    let chart = &page[position(&page, r#"id="machines""#)..position(&page, r#"id="recommendation""#)];
    assert_eq!(chart.matches(r#"role="listitem""#).count(), 5, "four that were tried and one line");
    assert!(chart.contains(">large, xlarge, 2xlarge</strong>") && chart.contains("3 sizes, at least"), "{chart}");
    assert!(chart.contains("≥ 21,400/s") && chart.contains("target 2,000/s") && chart.contains("required 2,857/s"));
    for line in ["target", "required"] {
        assert_eq!(chart.matches(&format!(r#"<line class="{line}""#)).count(), 5, "{line}, through every row");
    }
}

#[test]
fn a_machine_that_is_fast_enough_and_does_not_hold_says_why() {
    let mut report = sample::plan();
    let plan = report.plan.as_mut().unwrap();
    for mode in &mut plan.profiles[3].modes {
        mode.holds = Some(false);
        let evidence = "its disk of 80 GiB is full after 12 days".to_owned();
        mode.lacking = Some(Binding { resource: Resource::DiskSpace, evidence });
    }
    let rate = plan.profiles[3].modes[0].sustained_per_second.unwrap();
    assert!(rate > plan.required_per_second);
    let chart = |report: &Report| {
        let page = markup(&html(report));
        page[position(&page, r#"id="machines""#)..position(&page, r#"id="recommendation""#)].to_owned()
    };
    assert!(chart(&report).contains(r#"✗</span> <span class="no">disk space</span>"#), "{}", chart(&report));
    let plan = report.plan.as_mut().unwrap();
    plan.profiles[3].modes[0].lacking = None;
    plan.profiles[3].modes[1].sustained_per_second = Some(1.0);
    let chart = chart(&report);
    assert!(
        chart.contains(">at the horizon<") && !chart.contains("disk space"),
        "a slow one is short of the line: {chart}"
    );
}

#[test]
fn of_many_machines_the_first_and_the_recommended_stand_open() {
    let mut report = sample::plan();
    let plan = report.plan.as_mut().unwrap();
    let known = plan.profiles[3].clone();
    plan.profiles =
        (0..40).map(|place| ProfileEvidence { profile: format!("machine-{place}"), ..known.clone() }).collect();
    plan.recommendations.iter_mut().for_each(|one| one.profile = Some("machine-30".to_owned()));
    let page = markup(&html(&report));
    let fold = position(&page, "27 more rows");
    let (first, recommended, last) = (
        position(&page, ">machine-11<"),
        position(&page, "<strong title=\"machine-30\""),
        position(&page, "<strong title=\"machine-39\""),
    );
    assert!(first < recommended && recommended < fold && fold < last);
}

#[test]
fn tries_of_one_rate_are_one_point_with_their_range() {
    let mut report = sample::plan();
    let capacity = &mut report.plan.as_mut().unwrap().capacities[0];
    let first = capacity.probes[0];
    let tried = |value_ns, rejection| ProbeResult { worst_slice_ns: Some(value_ns), rejection, ..first };
    capacity.probes = vec![tried(4_000_000, None), tried(9_000_000, None), tried(12_000_000, Some(Rejection::TooSlow))];
    let points = charts(&report)["probes"]["lines"][0]["points"].clone();
    let [point] = points.as_array().unwrap().as_slice() else { panic!("{points}") };
    let figures =
        ["low_ns", "middle_ns", "high_ns", "held_count", "tried_count"].map(|name| point[name].as_u64().unwrap());
    assert_eq!(figures, [4_000_000, 9_000_000, 12_000_000, 2, 3]);
    for line in charts(&sample::plan())["probes"]["lines"].as_array().unwrap() {
        let of = |name: &str| {
            line["points"].as_array().unwrap().iter().map(|one| one[name].as_f64().unwrap()).collect::<Vec<_>>()
        };
        assert!(of("offered_per_second").is_sorted() && of("trend_ns").is_sorted(), "{line}");
    }
}

#[test]
fn charts_show_what_was_completed_and_what_was_offered() {
    let mut report = sample::plan();
    report.modes[0].series.iter_mut().for_each(|slice| slice.completed_per_second = Some(530.0));
    let line = charts(&report)["series"]["lines"][0].clone();
    let first = |name: &str| line[name][0].as_f64().unwrap();
    assert!((first("completed_per_second") - 530.0).abs() < 1e-9);
    assert!(first("offered_per_second") > 1_900.0);
    let closed = charts(&sample::run())["series"]["lines"][0]["offered_per_second"].clone();
    assert_eq!(closed, serde_json::json!([]), "a closed loop offers no rate");
}

#[test]
fn a_certificate_has_a_page_of_its_own_with_every_slice_against_the_limit() {
    let report = sample::certificate();
    let page = markup(&html(&report));
    assert!(page.contains(r#"<p class="eyebrow certificate">Certificate</p>"#));
    assert!(page.contains("<h1>2,000/s for 30 min 0 s</h1>") && page.contains("1 of 180 slices missed"), "{page}");
    let chart = &charts(&report)["certificate"];
    assert_eq!(chart["slo"]["limit_ns"], 10_000_000);
    assert_eq!(chart["lines"][0]["slices"].as_array().unwrap().len(), 180);
    let table = &page[position(&page, "Slowest slices")..];
    assert!(position(table, "31 ms") < position(table, "4.18 ms"), "slices that missed come first");
    assert!(!markup(&html(&sample::run())).contains("certificate-chart"));
}

#[test]
fn a_ramp_ends_with_the_rate_at_which_the_objective_is_left() {
    let page = markup(&html(&sample::ramp()));
    assert!(page.contains("<h1>p99 crosses 10 ms</h1>") && page.contains("crosses at 3,100/s"), "{page}");
    assert!(page.contains("p99 crosses 10 ms at 3,100/s"));
    assert!(page.contains("p99 stays within 10 ms up to 4,500/s"), "with durability off");
    assert_eq!(charts(&sample::ramp())["ramp"]["ramp"]["modes"][1]["points"].as_array().unwrap().len(), 9);
}

#[test]
fn each_term_is_explained_in_one_place() {
    for report in [sample::plan(), sample::run(), sample::certificate()] {
        let page = html(&report);
        assert_eq!(page.matches("<h2>Terms</h2>").count(), 1);
        assert_eq!(page.matches("<dt>response time</dt>").count(), 1);
    }
}

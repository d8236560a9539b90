//! `report.md`: to paste into an issue or a wiki.

use ave_workbench::render::{self, markdown};
use ave_workbench::report::{Evidence, MachineStanding, Outcome, Report};

use super::{comparison, machines};
use crate::support::sample;

fn position(text: &str, part: &str) -> usize {
    text.find(part).unwrap_or_else(|| panic!("{part:?} is missing in:\n{text}"))
}

#[test]
fn the_verdict_precedes_everything_and_reproduction_ends_it() {
    let report = sample::plan();
    let text = markdown(&report);
    assert!(text.starts_with(&format!("# ✅ Pass: {}\n", report.verdict.sentence)), "{text}");
    let parts = [
        "How sure: moderate.",
        report.verdict.reasons[2].text.as_str(),
        "## Machines",
        "## Measured",
        "## Disk",
        "## Warnings",
        "## How to reproduce",
    ];
    assert!(parts.map(|part| position(&text, part)).is_sorted(), "{text}");
}

#[test]
fn costs_are_listed_with_a_reason_for_every_machine() {
    let text = markdown(&sample::plan());
    for part in [
        "### Cost and demand",
        "- Durability on: **medium** costs 7.90 EUR per month, 0.0015 EUR per million commands at the target.",
        "| on | 0/s | 2,205/s | medium | medium | 7.90 EUR |",
        "| on | 2,000/s | medium | 7.90 EUR | 2.5 months |",
        "| on | half | 3.10 EUR | — | not known: smaller than the machines that meet the objective |",
    ] {
        position(&text, part);
    }
}

#[test]
fn each_outcome_has_its_mark() {
    for (outcome, mark) in
        [(Outcome::Pass, "# ✅ Pass"), (Outcome::Fail, "# ❌ Fail"), (Outcome::Inconclusive, "# ⚠️ Inconclusive")]
    {
        let mut report = sample::run();
        report.verdict.outcome = outcome;
        assert!(markdown(&report).starts_with(mark));
    }
}

#[test]
fn every_profile_is_listed_and_what_was_not_measured_says_so() {
    let text = markdown(&sample::plan());
    for profile in sample::plan().plan.unwrap().profiles {
        let is_row = |line: &&str| line.starts_with('|') && line.split('|').nth(1).unwrap().contains(&profile.profile);
        let row = text.lines().find(is_row).unwrap();
        let measured = profile.evidence != Evidence::NotMeasured;
        assert_eq!(row.contains("| not measured | — | — |"), !measured, "{row}");
    }
}

#[test]
fn the_page_fits_an_issue() {
    assert!(markdown(&sample::plan()).lines().count() < 150);
}

#[test]
fn the_machine_specification_is_there_to_paste() {
    assert!(
        markdown(&sample::plan()).contains(r#"**medium**, `MachineSpec` `{"profile": "medium"}`, container cpu 2"#)
    );
}

/// One of each kind, with tables at every place.
fn every_page() -> Vec<String> {
    let without_prices = || {
        let mut report = sample::plan();
        report.plan.as_mut().unwrap().catalogue = None;
        report
    };
    let reports: [fn() -> Report; 8] = [
        sample::plan,
        without_prices,
        sample::predicted,
        sample::run,
        sample::certificate,
        sample::ramp,
        sample::bare,
        sample::empty_plan,
    ];
    let comparisons = [render::comparison(&comparison::two()).markdown, render::fleet(&machines::plans()).markdown];
    reports.iter().map(|report| markdown(&report())).chain(comparisons).collect()
}

#[test]
fn a_container_gets_the_cpu_time_of_its_machine() {
    let mut report = sample::plan();
    let container = report.plan.as_mut().unwrap().recommendations[1].container.as_mut().unwrap();
    (container.cpu_cores_count, container.cpu_millicores_count) = (1, Some(500));
    assert!(markdown(&report).contains("container cpu 500m, memory"));
}

#[test]
fn every_table_row_has_as_many_cells_as_its_header() {
    for text in every_page() {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut header: Option<usize> = None;
        for line in text.lines() {
            let expected = header.filter(|_| line.starts_with('|'));
            if let Some(expected) = expected {
                assert_eq!(cells(line), expected, "{line}");
            }
            header = line.starts_with('|').then(|| cells(line));
        }
    }
}

#[test]
fn tables_stand_alone_and_unbroken() {
    for text in every_page() {
        let lines: Vec<_> = text.lines().collect();
        let tables = lines.iter().enumerate().filter(|(_, line)| line.starts_with("|:--") || line.starts_with("|--"));
        for (index, line) in tables {
            assert!(lines[index - 1].starts_with('|'), "no header above {line}");
            assert!(lines[index - 2].is_empty(), "no empty line above {}", lines[index - 1]);
            assert!(lines[index + 1].starts_with('|'), "no row below {line}");
            let after = lines[index..].iter().find(|line| !line.starts_with('|'));
            assert!(after.is_none_or(|line| line.is_empty()), "no empty line below the table, before {after:?}");
        }
    }
}

#[test]
fn one_empty_line_separates_the_parts() {
    for text in every_page() {
        assert!(!text.contains("\n\n\n"), "{text}");
    }
}

#[test]
fn machines_that_were_rejected_for_one_reason_share_a_row() {
    let mut report = sample::plan();
    let demand = report.plan.as_mut().unwrap().demand.as_mut().unwrap();
    let machines = &mut demand.modes[1].machines;
    machines.retain(|one| one.is_chosen);
    machines.extend(["a", "b", "c", "d"].map(|name| MachineStanding {
        profile: name.to_owned(),
        is_chosen: false,
        usable_per_second: None,
        price_per_month: None,
        reason: "smaller".to_owned(),
    }));
    let text = markdown(&report);
    assert!(text.contains("| on | a … d | — | — | smaller |"), "{text}");
    assert_eq!(text.matches("| smaller |").count(), 1, "{text}");
}

#[test]
fn percentiles_the_samples_do_not_support_are_not_invented() {
    let text = markdown(&sample::bare());
    assert!(text.contains("\n| off | persist | 1 | 900 ns | — | — | — |\n"), "{text}");
}

#[test]
fn a_plan_that_found_nothing_says_none_of_these() {
    let text = markdown(&sample::empty_plan());
    assert!(text.contains("- Durability on: **none of these**.\n"), "{text}");
}

#[test]
fn warnings_come_with_what_to_do() {
    let text = markdown(&sample::plan());
    for warning in sample::plan().warnings {
        assert!(text.contains(&format!("**{}** {}", warning.what, warning.hint)), "{text}");
    }
}

#[test]
fn differences_found_by_verification_are_listed() {
    let mut report = sample::run();
    report.modes[1].verification.differences = vec!["actor 17: event 4 is missing".to_owned()];
    report.modes[0].verification.performed = false;
    let text = markdown(&report);
    assert!(text.contains("actor 17: event 4 is missing"));
    assert!(text.contains("**Not verified.**"));
}

#[test]
fn what_was_found_after_kills_is_said_with_what_it_does_not_show() {
    let mut report = sample::run();
    let text = markdown(&report);
    assert!(text.contains("killed 3 times while writing: 41,233 acknowledged events"), "{text}");
    assert!(text.contains("checked, 0 lost") && text.contains("not a power cut"), "{text}");
    let crash = report.modes[1].verification.crash.as_mut().unwrap();
    crash.differences = vec!["kill 2: actor 17: event 4 was acknowledged and is lost".to_owned()];
    assert!(markdown(&report).contains("; kill 2: actor 17: event 4 was acknowledged and is lost."));
    assert!(text.contains("power cut: not tried."), "{text}");
    let verification = &mut report.modes[1].verification;
    verification.power_cut = verification.crash.clone();
    let text = markdown(&report);
    assert!(
        text.contains("power cut: tried, 3 times while writing") && text.contains("power cut: not tried."),
        "{text}"
    );
    report.modes.iter_mut().for_each(|mode| (mode.verification.crash, mode.verification.power_cut) = (None, None));
    assert!(!markdown(&report).contains("power cut"));
}

#[test]
fn hostile_text_is_shown_not_obeyed() {
    let mut report = sample::plan();
    let hostile = "<script>|\n# owned `code` [link](javascript:1)";
    report.name = hostile.to_owned();
    report.host.cpu_model = hostile.to_owned();
    report.settings.data_directory = "/tmp/`|`".to_owned();
    report.reproduce.command = "```\n# owned".to_owned();
    let text = markdown(&report);
    assert!(!text.contains("<script>"));
    assert!(text.replace("\\]", "").matches("](javascript").count() == 0, "no link of the report's making");
    assert!(text.contains("````sh\n```\n# owned\n````"));
    assert_eq!(text.lines().filter(|line| line.starts_with("# owned")).count(), 1, "the one inside the code block");
}

#[test]
fn the_disk_of_a_plan_is_described_with_the_durable_rate_at_its_latencies() {
    let text = markdown(&sample::plan());
    for part in [
        "Between the loads: sync of 4 KiB median 77 µs of 40 samples over 4 min 0 s, band 71 – 460 µs.",
        "after 23 s the sync latency rose 6-fold",
        "Compared with its profile: the sync p50 is 77 µs, 3.08 times that of the profile of 2026-02-01",
        "1 / rate = 45 µs + 0.28 × sync latency under load, fitted to 15 s of the closed loop on medium, error 4 %",
        "At 77 µs (p50): 10,640/s at the objective, 13,300/s at most.",
    ] {
        position(&text, part);
    }
    assert!(!text.contains("(p90)"), "beyond the reach of the function there is no rate");
}

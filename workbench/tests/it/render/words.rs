//! The first screen of a plan answers within 60 words, and no page shows more than 300 before something is unfolded.

use ave_workbench::render::{self, html};
use ave_workbench::report::{Binding, CertaintyLevel, DiskOrigin, End, Outcome, Report, RequestCommands, Resource};

use super::history::two_changes;
use crate::support::sample;

const FIRST_SCREEN: usize = 60;
const VISIBLE: usize = 300;

/// An element that is open while a page is read.
struct Element {
    name: String,
    /// Its text is not shown until the reader unfolds it.
    is_folded: bool,
}

/// The words that a browser shows of a page before anything is unfolded: scripts run, so tables behind charts are folded.
fn visible_words(page: &str) -> Vec<String> {
    let body = &page[page.find("<header").unwrap()..page.find("<footer").unwrap()];
    let (mut open, mut text): (Vec<Element>, String) = (Vec::new(), String::new());
    for part in body.split('<').skip(1) {
        let (tag, after) = part.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap().to_owned();
        if tag.starts_with('/') {
            let from = open.iter().rposition(|element| element.name == name).unwrap_or_else(|| panic!("</{name}>"));
            open.truncate(from);
        } else if !tag.ends_with('/') && !["br", "meta"].contains(&name.as_str()) {
            let is_closed = name == "details" && (!tag.contains(" open") || tag.contains("behind-chart"));
            open.push(Element { is_folded: is_closed || tag.contains("without-script") || name == "option", name });
        }
        // A summary is shown though its details are folded.
        let summary = open.iter().rposition(|element| element.name == "summary");
        let hides = |(place, element): (usize, &Element)| element.is_folded && summary != Some(place + 1);
        if !open.iter().enumerate().any(hides) {
            text.push_str(after);
        }
        text.push(' ');
    }
    let text = text.replace("&#x2f;", "/").replace("&#x27;", "'");
    text.split_whitespace().map(str::to_owned).collect()
}

fn first_screen(page: &str) -> String {
    let answer = page.find("id=\"answer\"").unwrap();
    let end = answer + page[answer..].find("</section>").unwrap();
    format!("{}<footer>", &page[..end])
}

fn committed() -> Report {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A plan that recommends one machine for both modes.
fn same() -> Report {
    let mut same = sample::plan();
    same.plan.as_mut().unwrap().recommendations[0].profile = Some("medium".to_owned());
    same
}

/// The same machine from a catalogue that gives it no disk.
fn attached() -> Report {
    let mut attached = same();
    let plan = attached.plan.as_mut().unwrap();
    let cost = plan.recommendations[1].cost.clone();
    plan.recommendations[0].cost = cost;
    plan.valid_until.as_mut().unwrap().end = End::Horizon;
    plan.growth.disk_origin = DiskOrigin::Attached;
    plan.forecast.as_mut().unwrap().disk_origin = DiskOrigin::Attached;
    attached
}

/// Plans of every outcome: with one machine for both modes, with two, and with one mode without any.
fn plans() -> Vec<(&'static str, Report)> {
    let mut half = sample::plan();
    half.verdict.outcome = Outcome::Fail;
    half.plan.as_mut().unwrap().recommendations[1].profile = None;
    let mut doubtful = sample::plan();
    doubtful.verdict.outcome = Outcome::Inconclusive;
    vec![
        ("a pass with a disk to attach", attached()),
        ("the committed sample", committed()),
        ("a pass with one machine", same()),
        ("a pass with two machines", sample::plan()),
        ("a failure in one mode", half),
        ("a failure in both modes", sample::empty_plan()),
        ("an inconclusive plan", doubtful),
        ("a prediction", sample::predicted()),
    ]
}

#[test]
fn the_first_screen_of_a_plan_answers_within_sixty_words() {
    for (name, plan) in plans() {
        let words = visible_words(&first_screen(&html(&plan)));
        assert!((20..=FIRST_SCREEN).contains(&words.len()), "{name}: {} words: {}", words.len(), words.join(" "));
        let text = words.join(" ");
        assert!(text.contains("Store only: add your application's CPU and memory."), "{name}: {text}");
        assert!(
            text.contains("How sure") && text.contains("Durability off") && text.contains("Durability on"),
            "{text}"
        );
    }
}

#[test]
fn a_page_shows_at_most_three_hundred_words_until_it_is_unfolded() {
    let others = [("a run", sample::run()), ("a certificate", sample::certificate()), ("a ramp", sample::ramp())];
    for (name, report) in plans().into_iter().chain(others) {
        let words = visible_words(&html(&report));
        assert!(words.len() <= VISIBLE, "{name}: {} words: {}", words.len(), words.join(" "));
    }
}

#[test]
fn a_history_answers_within_as_many_words() {
    let page = render::history(&two_changes()).html;
    let first = visible_words(&first_screen(&page));
    assert!((10..=FIRST_SCREEN).contains(&first.len()), "{} words: {}", first.len(), first.join(" "));
    assert!(first.join(" ").contains("Regression"), "{}", first.join(" "));
    let words = visible_words(&page);
    assert!(words.len() <= VISIBLE, "{} words: {}", words.len(), words.join(" "));
}

#[test]
fn a_plan_that_passes_says_what_to_take_and_until_when() {
    let text = visible_words(&first_screen(&html(&same()))).join(" ");
    for part in [
        "Pass medium 2 cores, 4 GiB",
        "Target 2,000/s + 30 % headroom",
        "Valid until 2026-11-19 disk full",
        "moderate",
        "Durability off 90 % free p99 4.7 ms limit 10 ms",
        "Durability on 36 % free p99 4.7 ms limit 10 ms",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_disk_to_attach_is_on_the_first_screen_and_not_in_the_price() {
    let page = html(&attached());
    let text = visible_words(&first_screen(&page)).join(" ");
    assert!(text.contains("Per month 7.90 EUR without its disk Disk to attach 3.64 TiB How sure"), "{text}");
    assert!(page.contains("per day at the target; until the horizon a disk of 3.64 TiB is needed"));
    assert!(page.contains("\"room\":\"needed until the horizon\"") && !page.contains("\"room on the disk\""));
}

#[test]
fn a_target_of_transactions_is_shown_as_it_was_given() {
    let mut report = same();
    let plan = report.plan.as_mut().unwrap();
    let fact = |is_transaction| RequestCommands { name: "fact".to_owned(), is_transaction, commands_per_request: 20.0 };
    plan.slo.command = "fact".to_owned();
    plan.requests = vec![fact(true)];
    let page = html(&report);
    let text = visible_words(&first_screen(&page)).join(" ");
    assert!(text.contains("Target 100 fact/s 2,000 commands/s + 30 % headroom"), "{text}");
    assert!(page.replace("&#x2f;", "/").contains("<strong>100 fact/s (2,000 commands/s)</strong>"));
    report.plan.as_mut().unwrap().requests = vec![fact(false)];
    assert!(visible_words(&first_screen(&html(&report))).join(" ").contains("Target 2,000/s + 30 % headroom"));
}

#[test]
fn where_every_disk_is_full_too_early_no_free_share_is_shown() {
    let mut full = same();
    full.verdict.outcome = Outcome::Fail;
    let plan = full.plan.as_mut().unwrap();
    plan.recommendations.iter_mut().for_each(|one| one.profile = None);
    plan.profiles.retain(|known| known.modes[0].sustained_per_second.is_some());
    for mode in plan.profiles.iter_mut().flat_map(|known| &mut known.modes) {
        let evidence = "its disk of 80 GiB is full after 12 days".to_owned();
        mode.holds = Some(false);
        mode.lacking = Some(Binding { resource: Resource::DiskSpace, evidence });
    }
    let text = visible_words(&first_screen(&html(&full))).join(" ");
    assert!(text.contains("Durability on Disk full before the horizon"), "{text}");
    assert!(!text.contains("% free"), "{text}");
}

#[test]
fn a_prediction_shows_the_other_host_and_the_range_of_its_rate() {
    let page = html(&sample::predicted());
    let text = visible_words(&first_screen(&page)).join(" ");
    for part in [
        "Pass host b 16 cores, 32 GiB",
        "Durability off ≥ 18,900/s predicted",
        // The gauge is that of the lower end.
        "Durability on 3,528 – 5,292/s predicted 43 % free",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for part in ["speed of a core, there over here", "At least, since it has 16 cores", "within"] {
        assert!(page.contains(part), "{part}");
    }
    let markdown = ave_workbench::render::markdown(&sample::predicted());
    assert!(markdown.contains("measured 4,200/s on small: 5 % too high, within the range"), "{markdown}");
}

#[test]
fn without_an_answer_no_machine_is_named() {
    for (outcome, title) in [(Outcome::Inconclusive, "Measure again"), (Outcome::Fail, "No machine qualifies")] {
        let mut report = same();
        report.verdict.outcome = outcome;
        let plan = report.plan.as_mut().unwrap();
        if outcome == Outcome::Fail {
            plan.recommendations.iter_mut().for_each(|one| one.profile = None);
        }
        let text = visible_words(&first_screen(&html(&report))).join(" ");
        assert!(text.contains(title) && !text.contains("medium") && !text.contains("Valid until"), "{text}");
    }
}

#[test]
fn only_a_high_certainty_is_green() {
    for (level, tone) in
        [(CertaintyLevel::High, "pass"), (CertaintyLevel::Moderate, "moderate"), (CertaintyLevel::Low, "moderate")]
    {
        let mut report = same();
        report.verdict.certainty.as_mut().unwrap().level = level;
        assert!(html(&report).contains(&format!(r#"<section class="screen {tone}" id="answer" data-outcome="pass""#)));
    }
}

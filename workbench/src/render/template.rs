//! The templates: figures formatted by filters, and escaping that is on unless a value is marked safe.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, HtmlEscape, Output, State, escape_formatter};
use serde::Serialize;

use super::terms::TERMS;
use crate::report::build_name;
use crate::units;

const MARKDOWN: &str = "markdown";

/// Templates by name; the extension before `.j2` decides how values are escaped.
const TEMPLATES: [(&str, &str); 16] = [
    ("page.html.j2", include_str!("page.html.j2")),
    ("parts.html.j2", include_str!("parts.html.j2")),
    ("drawings.html.j2", include_str!("drawings.html.j2")),
    ("report.html.j2", include_str!("report.html.j2")),
    ("comparison.html.j2", include_str!("comparison.html.j2")),
    ("machines.html.j2", include_str!("machines.html.j2")),
    ("history.html.j2", include_str!("history.html.j2")),
    ("report.md.j2", include_str!("report.md.j2")),
    ("comparison.md.j2", include_str!("comparison.md.j2")),
    ("comparison_end.md.j2", include_str!("comparison_end.md.j2")),
    ("machines.md.j2", include_str!("machines.md.j2")),
    ("history.md.j2", include_str!("history.md.j2")),
    ("demand.html.j2", include_str!("demand.html.j2")),
    ("demand.md.j2", include_str!("demand.md.j2")),
    ("hosts.html.j2", include_str!("hosts.html.j2")),
    ("hosts.md.j2", include_str!("hosts.md.j2")),
];

const ASSETS: [(&str, &str); 5] = [
    ("page_style", include_str!("page.css")),
    ("script", include_str!("report.js")),
    ("plot_style", include_str!("../../../assets/uplot/uPlot.min.css")),
    ("plot_script", include_str!("../../../assets/uplot/uPlot.iife.min.js")),
    ("plot_license", include_str!("../../../assets/uplot/LICENSE")),
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// Fills a template. Panics if it is wrong: templates are part of this crate and every path through them is tested.
pub(super) fn render(template: &str, context: impl Serialize) -> String {
    ENVIRONMENT
        .get_template(template)
        .and_then(|found| found.render(Serde(context)))
        .unwrap_or_else(|error| panic!("the built-in template {template}: {error:#}"))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // A tag on a line of its own leaves no empty line behind, which would end a Markdown table.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the default delimiters do not clash"));
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html.j2") { AutoEscape::Html } else { AutoEscape::Custom(MARKDOWN.into()) }
    });
    environment.set_formatter(escape);
    add_filters(&mut environment);
    let terms: BTreeMap<_, _> = TERMS.lines().filter_map(|line| line.split_once(": ")).collect();
    environment.add_global("terms", Serde(terms));
    for (name, text) in ASSETS {
        environment.add_global(name, text);
    }
    for (name, source) in TEMPLATES {
        environment
            .add_template(name, source)
            .unwrap_or_else(|error| panic!("the built-in template {name}: {error:#}"));
    }
    environment
}

fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("duration", |value: Option<f64>| figure(value, units::duration));
    environment.add_filter("difference", |value: Option<f64>| figure(value, units::duration_difference));
    environment.add_filter("to", |low: f64, high: f64| units::duration_range(low, high));
    environment.add_filter("seconds", |value: Option<f64>| figure(value, units::seconds));
    environment.add_filter("days", |value: Option<f64>| figure(value, units::days));
    environment.add_filter("months", |value: Option<f64>| figure(value, units::months));
    environment.add_filter("bytes", |value: Option<f64>| figure(value, units::bytes));
    environment.add_filter("counted", |value: Option<u64>, noun: &str| {
        value.map_or_else(units::absent, |value| units::counted(value, noun))
    });
    environment.add_filter("rate", |value: Option<f64>| figure(value, units::rate));
    environment.add_filter("number", |value: Option<f64>| figure(value, units::number));
    environment
        .add_filter("money", |value: Option<f64>, currency: &str| figure(value, |it| units::money(it, currency)));
    environment.add_filter("percent", |value: Option<f64>| figure(value, units::percent));
    environment.add_filter("percent_difference", units::percent_difference);
    environment.add_filter("percent_interval", |ends: Vec<f64>| units::percent_interval([ends[0], ends[1]]));
    environment.add_filter("count", |value: Option<u64>| value.map_or_else(units::absent, units::count));
    environment.add_filter("moment", |value: &str| units::moment(value));
    environment.add_filter("pretty", |value: Value| serde_json::to_string_pretty(&value).unwrap_or_default());
    environment.add_filter("build", build);
    environment.add_filter("prose", |text: &str| Value::from_safe_string(html_prose(text)));
    environment.add_filter("code", |value: &str| Value::from_safe_string(code_span(value)));
    environment
        .add_filter("code_block", |value: &str, language: &str| Value::from_safe_string(code_block(value, language)));
}

/// Version and commit of what has both.
fn build(of: &Value) -> String {
    let text = |name: &str| of.get_attr(name).ok().and_then(|value| value.as_str().map(str::to_owned));
    build_name(&text("version").unwrap_or_default(), text("commit").as_deref())
}

fn figure(value: Option<f64>, format: impl Fn(f64) -> String) -> String {
    value.map_or_else(units::absent, format)
}

fn escape(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match state.auto_escape() {
        AutoEscape::Custom(_) if value.is_safe() => Ok(out.write_str(value.as_str().unwrap_or_default())?),
        AutoEscape::Custom(_) => Ok(out.write_str(&markdown_prose(&value.to_string()))?),
        _ => escape_formatter(out, state, value),
    }
}

/// A sentence on a page, with what stands between backticks as code.
fn html_prose(text: &str) -> String {
    with_code(text, |text| HtmlEscape(text).to_string(), |code| format!("<code>{}</code>", HtmlEscape(code)))
}

/// A sentence in Markdown, with what stands between backticks as code.
fn markdown_prose(text: &str) -> String {
    with_code(text, markdown_text, code_span)
}

/// Without pairs of backticks around something, all of it is text.
fn with_code(text: &str, escape_text: fn(&str) -> String, code: fn(&str) -> String) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|code| code.is_empty()) {
        return escape_text(text);
    }
    let part = |(place, part): (usize, &&str)| if place.is_multiple_of(2) { escape_text(part) } else { code(part) };
    parts.iter().enumerate().map(part).collect()
}

/// Text that Markdown shows as it is, on one line, also inside a table cell. An underscore within a word is one.
fn markdown_text(text: &str) -> String {
    let escaped = |character| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '\\' | '`' | '*' | '[' | ']' | '|' => format!("\\{character}"),
        '\r' | '\n' => " ".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Inline code, fenced by more backticks than it contains. A table ends a cell at a bar even inside code.
fn code_span(text: &str) -> String {
    let fence = "`".repeat(longest_backtick_run(text) + 1);
    let pad = if text.contains('`') { " " } else { "" };
    let line = text.replace(['\r', '\n'], " ").replace('|', "\\|");
    format!("{fence}{pad}{line}{pad}{fence}")
}

fn code_block(text: &str, language: &str) -> String {
    let fence = "`".repeat((longest_backtick_run(text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}")
}

fn longest_backtick_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_text_cannot_leave_its_cell_or_become_markup() {
        assert_eq!(markdown_text("a|b\nc <img> *d* [e](f) `g`"), "a\\|b c &lt;img&gt; \\*d\\* \\[e\\](f) \\`g\\`");
        assert_eq!(markdown_text("events_put"), "events_put");
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        let text = "set `worker_threads` to 4, <b>";
        assert_eq!(html_prose(text), "set <code>worker_threads</code> to 4, &lt;b&gt;");
        assert_eq!(markdown_prose(text), "set `worker_threads` to 4, &lt;b&gt;");
        assert_eq!(html_prose("`<i>`"), "<code>&lt;i&gt;</code>");
        for unpaired in ["a ` b", "a `` b"] {
            assert_eq!(html_prose(unpaired), unpaired);
            assert_eq!(markdown_prose(unpaired), unpaired.replace('`', "\\`"));
        }
    }

    #[test]
    fn code_cannot_close_its_own_fence() {
        assert_eq!(code_span("a ` b"), "`` a ` b ``");
        assert_eq!(code_block("x\n```\ny", "sh"), "````sh\nx\n```\ny\n````");
    }
}

//! Terms are explained where they stand, on every page: to those who hover, and to those who tap or use keys.

use ave_workbench::render::{self, html};

use super::{comparison, history, machines as joined};
use crate::support::sample;

#[test]
fn terms_open_under_a_pointer_a_key_and_a_finger() {
    let pages = [
        html(&sample::plan()),
        html(&sample::run()),
        render::comparison(&comparison::two()).html,
        render::fleet(&joined::plans()).html,
        render::history(&history::two_changes()).html,
    ];
    for page in &pages {
        assert!(page.contains("abbr[title]:focus::after { content: attr(title)"), "focus shows the explanation");
        let terms: Vec<&str> = page.split("<abbr ").skip(1).collect();
        assert!(terms.len() > 3, "{} terms", terms.len());
        for term in terms {
            let tag = term.split('>').next().unwrap_or_default();
            let explained =
                tag.split_once("title=\"").is_some_and(|(_, text)| text.find('"').is_some_and(|end| end > 10));
            assert!(tag.starts_with("tabindex=\"0\"") && explained, "<abbr {tag}>");
        }
    }
}

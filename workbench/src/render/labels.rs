//! Where labels of a drawing have room.

use serde::Serialize;

/// Width of a character of a label on average and height of its line, in units of the drawing.
const CHARACTER: f64 = 7.5;
pub(super) const LINE: f64 = 14.0;
/// From a label's line to its baseline.
const BASELINE: f64 = 4.0;
/// Characters of a longer text that are shown.
const MOST_CHARACTERS: usize = 20;

/// A rectangle that something covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) x: [f64; 2],
    pub(super) y: [f64; 2],
}

impl Area {
    pub(super) fn around(x: f64, y: f64, radius: f64) -> Self {
        Self { x: [x - radius, x + radius], y: [y - radius, y + radius] }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let crosses = |a: [f64; 2], b: [f64; 2]| a[0] < b[1] && b[0] < a[1];
        crosses(self.x, other.x) && crosses(self.y, other.y)
    }

    fn contains(&self, other: &Self) -> bool {
        let within = |a: [f64; 2], b: [f64; 2]| a[0] <= b[0] && b[1] <= a[1];
        within(self.x, other.x) && within(self.y, other.y)
    }
}

/// A text of a drawing, as the attributes of an SVG text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) anchor: &'static str,
    pub(super) text: String,
}

impl Label {
    /// Beside, above or below a point, wherever it is inside the frame and covers nothing that is `taken`; with what it covers.
    pub(super) fn beside(
        [x, y]: [f64; 2],
        distance: f64,
        text: &str,
        frame: &Area,
        taken: &[Area],
    ) -> Option<(Self, Area)> {
        let text = shortened(text);
        let width = width(&text);
        let [above, below] = [y - distance - LINE / 2.0, y + distance + LINE / 2.0];
        let places = [
            ("start", x + distance, y),
            ("end", x, above),
            ("end", x, below),
            ("start", x, above),
            ("start", x, below),
            ("end", x - distance, y),
        ];
        let area = |(anchor, x, y): (&str, f64, f64)| {
            let from = if anchor == "start" { x } else { x - width };
            Area { x: [from, from + width], y: [y - LINE / 2.0, y + LINE / 2.0] }
        };
        let is_free = |area: &Area| frame.contains(area) && !taken.iter().any(|other| other.overlaps(area));
        let (anchor, x, y) = places.into_iter().find(|&place| is_free(&area(place)))?;
        Some((Self { x, y: y + BASELINE, anchor, text }, area((anchor, x, y))))
    }
}

/// How wide a text is at most.
pub(super) fn width(text: &str) -> f64 {
    CHARACTER * text.chars().count() as f64
}

/// Rows, from above, for labels that begin at ascending places: each lies below those before it that it would cover.
pub(super) fn rows(labels: &[[f64; 2]]) -> Vec<usize> {
    let (mut row, mut end) = (0, f64::NEG_INFINITY);
    let next = |&[from, to]: &[f64; 2]| {
        row = if from < end { row + 1 } else { 0 };
        end = end.max(to);
        row
    };
    labels.iter().map(next).collect()
}

/// A name of at most twenty characters, by an ellipsis.
fn shortened(name: &str) -> String {
    if name.chars().count() <= MOST_CHARACTERS {
        return name.to_owned();
    }
    let start: String = name.chars().take(MOST_CHARACTERS - 1).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn a_label_evades_what_is_taken_and_is_left_out_where_there_is_no_room() {
        let frame = Area { x: [0.0, 100.0], y: [0.0, 100.0] };
        let mut taken = vec![Area::around(50.0, 50.0, 4.0)];
        let mut place = |text| {
            let (label, area) = Label::beside([50.0, 50.0], 6.0, text, &frame, &taken)?;
            taken.push(area);
            Some((label.anchor, label.y.total_cmp(&(50.0 + BASELINE))))
        };
        assert_eq!(place("a name that is wider than the drawing"), None);
        for expected in [("start", Ordering::Equal), ("end", Ordering::Less), ("end", Ordering::Greater)] {
            assert_eq!(place("name"), Some(expected));
        }
        assert_eq!(place("name"), None);
    }

    #[test]
    fn a_long_name_ends_in_an_ellipsis() {
        assert_eq!(shortened("standard-d2s"), "standard-d2s");
        let short = shortened("standard-general-purpose-2vcpu");
        assert_eq!((short.as_str(), short.chars().count()), ("standard-general-pu…", 20));
    }

    #[test]
    fn labels_that_would_cover_each_other_are_in_rows() {
        assert_eq!(rows(&[[0.0, 50.0], [20.0, 70.0], [40.0, 90.0], [90.0, 99.0]]), [0, 1, 2, 0]);
    }
}

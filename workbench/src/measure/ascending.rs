//! The trend of figures that do not fall, as latency does not while the rate rises.

/// The non-descending values nearest to these in the sum of distances: neighbours that descend are replaced by their median,
/// the lower of two. So one value that is out of line does not move the others.
pub(crate) fn ascending(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<Vec<f64>> = Vec::new();
    for &value in values {
        let mut pool = vec![value];
        while let Some(mut last) = pools.pop_if(|last| median(last) > median(&pool)) {
            last.append(&mut pool);
            last.sort_by(f64::total_cmp);
            pool = last;
        }
        pools.push(pool);
    }
    pools.iter().flat_map(|pool| std::iter::repeat_n(median(pool), pool.len())).collect()
}

/// Of ascending values, at least one.
fn median(values: &[f64]) -> f64 {
    values[(values.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_out_of_line_does_not_move_the_others() {
        assert_eq!(ascending(&[1.0, 50.0, 5.0, 20.0, 80.0]), [1.0, 5.0, 5.0, 20.0, 80.0]);
        assert_eq!(ascending(&[]), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn a_trend_never_descends_and_keeps_what_ascends(mut values in prop::collection::vec(1.0f64..1e9, 0..40)) {
            let trend = ascending(&values);
            prop_assert!(trend.is_sorted() && trend.len() == values.len());
            prop_assert_eq!(ascending(&trend), trend);
            values.sort_by(f64::total_cmp);
            prop_assert_eq!(ascending(&values), values);
        }
    }
}

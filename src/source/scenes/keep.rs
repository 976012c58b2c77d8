//! Which scenes are wanted, and in what order.

use super::{Asked, Date, Order, Scene};
use crate::source::Problem;
use crate::source::scenes::details::Details;

/// Why a scene is left out, if it is.
///
/// # Errors
/// What is asked for needs a date or a cloud cover that is not known.
pub fn reason_against(name: &str, details: &Details, asked: &Asked) -> Result<Option<Problem>, Problem> {
    let flag = if asked.from.is_some() { "--from" } else { "--to" };
    let against = match (asked.from, asked.to) {
        (None, None) => None,
        (from, to) => outside(known(name, details.date, "date", flag)?, from, to),
    };
    let against = match (against, asked.max_cloud) {
        (None, Some(most)) => {
            let cloud = known(name, details.cloud, "cloud cover", "--max-cloud")?;
            (cloud > most).then(|| format!("its cloud cover of {cloud} % is above --max-cloud {most}"))
        }
        (against, _) => against,
    };
    if let Some(message) = against {
        return Ok(Some(Problem::new(name, message)));
    }
    let dated_for = match asked.order {
        Order::Date => Some("--order date"),
        Order::DateDescending => Some("--order -date"),
        Order::Given | Order::Cloud => asked.dated_for,
    };
    dated_for.map(|flag| known(name, details.date, "date", flag)).transpose()?;
    if asked.order == Order::Cloud {
        known(name, details.cloud, "cloud cover", "--order cloud")?;
    }
    Ok(None)
}

fn outside(date: Date, from: Option<Date>, to: Option<Date>) -> Option<String> {
    let early = from.filter(|from| date < *from).map(|from| format!("it is of {date}, before --from {from}"));
    early.or_else(|| to.filter(|to| date > *to).map(|to| format!("it is of {date}, after --to {to}")))
}

fn known<T>(name: &str, value: Option<T>, what: &str, flag: &str) -> Result<T, Problem> {
    let message = || {
        let hint = match what {
            "date" => "a name with a date tells it, or --scene-pattern with a group named 'date'",
            _ => "metadata beside the scene tell it, or a STAC document",
        };
        Problem::new(name, format!("its {what} is not known, and {flag} needs it")).with_hint(hint)
    };
    value.ok_or_else(message)
}

/// Whether what is asked for needs the dates of scenes.
pub fn needs_date(asked: &Asked) -> bool {
    let ordered = matches!(asked.order, Order::Date | Order::DateDescending);
    asked.from.or(asked.to).is_some() || ordered || asked.dated_for.is_some()
}

/// Whether what is asked for needs the clouded part of scenes.
pub fn needs_cloud(asked: &Asked) -> bool {
    asked.max_cloud.is_some() || asked.order == Order::Cloud
}

/// Puts scenes in order; equal ones stay as they were.
pub fn sort(scenes: &mut [Scene], order: Order) {
    match order {
        Order::Given => {}
        Order::Date => scenes.sort_by_key(|scene| scene.date),
        Order::DateDescending => scenes.sort_by_key(|scene| std::cmp::Reverse(scene.date)),
        Order::Cloud => {
            let cloud = |scene: &Scene| scene.cloud.unwrap_or(f64::INFINITY);
            scenes.sort_by(|a, b| cloud(a).total_cmp(&cloud(b)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> Option<Date> {
        Date::from_ymd_opt(2024, 6, day)
    }

    fn said(asked: &Asked, date: Option<Date>, cloud: Option<f64>) -> Result<Option<String>, String> {
        let outcome = reason_against("a", &Details { date, cloud, baseline: None }, asked);
        outcome.map(|out| out.map(|problem| problem.message)).map_err(|problem| problem.message)
    }

    #[test]
    fn both_ends_of_a_time_are_inside() {
        let asked = Asked { from: day(2), to: day(4), ..Asked::default() };
        assert_eq!((said(&asked, day(2), None), said(&asked, day(4), None)), (Ok(None), Ok(None)));
        assert_eq!(
            said(&asked, day(1), None),
            Ok(Some("it is of 2024-06-01, before --from 2024-06-02".into()))
        );
        assert_eq!(said(&asked, day(5), None), Ok(Some("it is of 2024-06-05, after --to 2024-06-04".into())));
        assert_eq!(said(&asked, None, None), Err("its date is not known, and --from needs it".into()));
    }

    #[test]
    fn what_is_not_known_matters_only_where_it_is_needed() {
        let asked = Asked { max_cloud: Some(20.0), ..Asked::default() };
        assert_eq!(said(&asked, None, Some(20.0)), Ok(None));
        assert!(said(&asked, None, Some(20.5)).unwrap().unwrap().contains("20.5 % is above --max-cloud 20"));
        assert_eq!(
            said(&asked, None, None),
            Err("its cloud cover is not known, and --max-cloud needs it".into())
        );
        assert_eq!(said(&Asked::default(), None, None), Ok(None));
        let ordered = Asked { order: Order::Date, to: day(1), ..Asked::default() };
        assert!(said(&ordered, day(2), None).unwrap().is_some());
        assert!(said(&Asked { order: Order::DateDescending, ..Asked::default() }, None, None).is_err());
        let told = Asked { dated_for: Some("--date-band"), to: day(1), ..Asked::default() };
        assert!(said(&told, day(2), None).unwrap().is_some());
        assert_eq!(
            said(&Asked { to: None, ..told }, None, None),
            Err("its date is not known, and --date-band needs it".into())
        );
    }

    #[test]
    fn scenes_are_put_in_order() {
        let scene = |name: &str, date, cloud| Scene { name: name.into(), date, cloud, ..Scene::default() };
        let mut scenes =
            [scene("a", day(3), Some(5.0)), scene("b", day(1), Some(9.0)), scene("c", day(3), Some(1.0))];
        let mut names = |order| {
            sort(&mut scenes, order);
            scenes.iter().map(|scene| scene.name.clone()).collect::<String>()
        };
        assert_eq!(names(Order::Given), "abc");
        assert_eq!(names(Order::Date), "bac");
        assert_eq!(names(Order::DateDescending), "acb");
        assert_eq!(names(Order::Cloud), "cab");
    }
}

use super::*;

fn plain(no: u64) -> Row {
    Row { no, kind: RowKind::Record }
}

#[test]
fn without_a_filter_every_record_has_a_row() {
    let mut rows = Rows::default();
    assert_eq!((rows.len(), rows.number(0), rows.row_from(1), rows.edges()), (0, None, 0, None));
    rows.records = 3;
    assert_eq!((rows.len(), rows.number(0), rows.number(3)), (3, Some(1), None));
    assert_eq!((rows.row_of(3, false), rows.row_of(4, false), rows.row_from(9)), (Some(2), None, 3));
    assert_eq!(rows.edges(), Some((plain(1), plain(3))));
}

#[test]
fn evicted_records_have_no_row() {
    let mut matches = SelectedRecords::default();
    (1..=10).for_each(|number| matches.look(number % 3 == 0));
    let mut rows = Rows { records: 10, ..Rows::default() };
    let totals = Totals { records: 10, first: 5, ..Totals::default() };
    rows.evict(&totals);
    assert_eq!((rows.len(), rows.number(0), rows.number(5), rows.number(6)), (6, Some(5), Some(10), None));
    assert_eq!((rows.row_of(5, false), rows.row_of(4, false), rows.row_from(2)), (Some(0), None, 0));
    rows.matches = Some(matches);
    rows.evict(&totals);
    assert_eq!((rows.len(), rows.number(0), rows.number(1)), (2, Some(6), Some(9)));
}

#[test]
fn with_a_filter_every_match_has_a_row() {
    let mut matches = SelectedRecords::default();
    (1..=10).for_each(|number| matches.look(number % 3 == 0));
    let rows = Rows { records: 10, matches: Some(matches), ..Rows::default() };
    assert_eq!((rows.len(), rows.number(1)), (3, Some(6)));
    assert_eq!((rows.row_of(6, false), rows.row_of(7, false)), (Some(1), None));
    assert_eq!((rows.row_from(7), rows.row_from(10), rows.edges()), (2, 3, Some((plain(3), plain(9)))));
}

#[test]
fn an_expanded_row_has_child_rows() {
    let mut rows = Rows { records: 6, ..Rows::default() };
    rows.expand(2, vec![2, 4]);
    rows.expand(5, vec![5]);
    let numbers: Vec<_> = (0..10).map_while(|row| rows.number(row)).collect();
    assert_eq!(numbers, [1, 2, 2, 4, 3, 4, 5, 5, 6]);
    assert_eq!(rows.row(3), Some(Row { no: 4, kind: RowKind::Child { last: true } }));
    assert_eq!((rows.row_of(4, true), rows.row_of(4, false), rows.row_of(3, true)), (Some(3), Some(5), None));
    assert_eq!((rows.row_of(5, true), rows.row_from(6), rows.len()), (Some(7), 8, 9));
    rows.collapse(2);
    assert_eq!((rows.len(), rows.row_of(5, true)), (7, Some(5)));
}

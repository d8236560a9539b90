//! A mistake in a catalogue is answered by one sentence with the line and the field, in the words of the file.

use ave_workbench::catalogue::Catalogue;

const CSV: &str = "\
# What we can order.

name,vcpus,memory,disk_gb,disk_sync_ms,disk_iops,disk_mb_per_second,price_per_month,currency,price_date
half,0.5,512 MiB,20,0.8,3000,125,3.65,EUR,2026-11-28
two,2,4,40,0.8,3000,125,7.30,EUR,2026-11-28
";
const ROW_LINE: usize = 4;

fn read(file: &str, content: impl AsRef<[u8]>) -> Result<Catalogue, String> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(file);
    std::fs::write(&path, content).unwrap();
    Catalogue::read(&path).map_err(|error| {
        let message = error.to_string().replace(&format!("{}/", place.path().display()), "");
        assert!(!message.contains(char::is_control) && !message.contains(". ") && !message.ends_with('.'), "{message}");
        assert!(message.contains("expected") && message.chars().count() < 400, "{message}");
        for words in ["CSV error", "TOML parse", "invalid type", "u64", "f64", "record 1"] {
            assert!(!message.contains(words), "{message}");
        }
        message
    })
}

#[test]
fn a_wrong_value_is_named_with_its_line_and_its_field() {
    const WRONG: [&str; 12] = [
        "-5",
        "NaN",
        "inf",
        "1e308",
        "18446744073709551616",
        "x",
        "\u{1b}[31m",
        "\"a\nb\"",
        "2026-13-45",
        "2999-01-01",
        "0x10",
        "\"2,5\"",
    ];
    let header: Vec<&str> = CSV.lines().nth(2).unwrap().split(',').collect();
    let row: Vec<&str> = CSV.lines().nth(3).unwrap().split(',').collect();
    for (place, field) in header.iter().enumerate() {
        for wrong in WRONG {
            let mut fields = row.clone();
            fields[place] = wrong;
            let changed = CSV.replace(&row.join(","), &fields.join(","));
            match read("m.csv", &changed) {
                Ok(_) => assert!(*field == "name" && !wrong.contains(char::is_control), "{field} = {wrong}"),
                Err(message) => {
                    assert!(message.starts_with(&format!("m.csv:{ROW_LINE}: `{field}` is `")), "{message}");
                    assert!(!message.contains('\u{1b}'), "{message}");
                }
            }
        }
    }
}

#[test]
fn the_form_of_a_csv_file_is_checked() {
    for (content, expected) in [
        ("", "m.csv: it has no machine, expected one or more"),
        ("name,vcpus,memory\n", "m.csv: it has no machine, expected one or more"),
        ("name,vcpus,memory,price\na,1,1,1\n", "m.csv:1: unknown column `price`, expected `name`, `vcpus`"),
        ("# c\n\nname,vcpu,memory\n", "m.csv:3: unknown column `vcpu`, expected"),
        ("name;vcpus;memory\na;1;1\n", "m.csv:1: the columns are separated by semicolons, expected commas"),
        ("name\tvcpus\tmemory\na\t1\t1\n", "m.csv:1: the columns are separated by tabs, expected commas"),
        ("name,vcpus,memory,name\n", "m.csv:1: the column `name` is given twice, expected once"),
        ("name,vcpus,memory\n# c\n\na,1\n", "m.csv:4: the row has 2 fields, expected 3 as in the header on line 1"),
        ("name,vcpus,memory\r\na,1,1\r\n\r\nb,1,1,\r\n", "m.csv:4: the row has 4 fields, expected 3"),
        (
            "name,vcpus,memory\n\"a,1,1\nb,1,1\n",
            "m.csv:2: the row has 1 field, expected 3 as in the header on line 1; the closing",
        ),
        ("name,vcpus,memory\n\"a\nb\",1,1\n", "m.csv:2: `name` is `a\\nb`, expected 1 to 64 printable characters"),
        ("name,vcpus,memory\n\"a\nb\",1,1\nc,x,1\n", "m.csv:2: "),
        (
            "name,vcpus,memory\nthis host,1,1\n",
            "m.csv:2: `name` is `this host`, expected 1 to 64 printable characters, other than",
        ),
        ("name,vcpus,memory\na,0,1\n", "m.csv:2: `vcpus` is `0`, expected a number of cores from 0.05 to 4,096"),
        (
            "name,vcpus,memory\na,1,1000000000\n",
            "m.csv:2: `memory` is `1000000000`, expected GiB such as `4`, or a size",
        ),
        ("name,vcpus,memory\na,1,10 MiB\n", "m.csv:2: `memory` is `10 MiB`, expected GiB such as `4`, or a size"),
    ] {
        let message = read("m.csv", content).unwrap_err();
        assert!(message.starts_with(expected), "{message}\nexpected {expected}");
    }
    let message = read("m.csv", b"name,vcpus,memory\n\xff,1,1\n").unwrap_err();
    assert_eq!(message, "m.csv:2: the file is not UTF-8 text, expected one that was saved as UTF-8");
    let message = read("m.toml", "price_date = 2026-13-45\n").unwrap_err();
    assert_eq!(
        message,
        "m.toml:1: `price_date = 2026-13-45` is not valid TOML: invalid date, expected month between 01 and 12"
    );
}

#[test]
fn a_byte_order_mark_and_the_line_ends_of_windows_are_no_mistakes() {
    let written_elsewhere = format!("\u{feff}{}", CSV.replace('\n', "\r\n"));
    assert_eq!(read("m.csv", written_elsewhere).unwrap().machines, read("m.csv", CSV).unwrap().machines);
    let toml = "[[machine]]\nname = 'a'\nvcpus = 1\nmemory = 2\n";
    let written_elsewhere = format!("\u{feff}{}", toml.replace('\n', "\r\n"));
    assert_eq!(read("m.toml", written_elsewhere).unwrap().machines, read("m.toml", toml).unwrap().machines);
}

use std::os::unix::fs::symlink;

use super::*;

/// A root directory: links and files by their path in it.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = below(self.0.path(), Path::new(path));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.place(path)).unwrap();
        self
    }

    fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.place(path), content).unwrap();
        self
    }

    fn localtime(target: &str) -> Self {
        Self::new().link(LOCALTIME, target)
    }

    fn fifo(self, path: &str) -> Self {
        let place = self.place(path);
        crate::process::files::make_fifo(&place);
        self
    }
}

/// Makes the data of a zone file that has nothing but a rule.
fn zone_file(rule: &str) -> Vec<u8> {
    let mut block = b"TZif2".to_vec();
    block.extend([0; 15]);
    for count in [0u32, 0, 0, 0, 1, 4] {
        block.extend(count.to_be_bytes());
    }
    block.extend([0; 6]);
    block.extend(b"XXX\0");
    [block.clone(), block, format!("\n{rule}\n").into_bytes()].concat()
}

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// A zone has a name that reads back as itself, as the journal does it.
#[track_caller]
fn check(tz: Option<&str>, root: &Root, expected: Result<&str, &str>) {
    let found = detect(tz.map(OsStr::new), root.0.path());
    match (&found, expected) {
        (Ok(zone), Ok(name)) => {
            assert_eq!(zone.name, name, "{tz:?}");
            let read = TimeZone::get(name).or_else(|_| TimeZone::posix(name)).unwrap();
            assert_eq!(zone.rules, read, "{tz:?}");
            let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
            let written = now.to_zoned(zone.rules.clone()).to_string();
            assert_eq!(written.parse::<jiff::Zoned>().unwrap().datetime(), zone.rules.to_datetime(now));
        }
        (Err(error), Err(part)) => {
            let text = error.to_string().replace(root.0.path().to_str().unwrap(), "");
            assert!(text.contains(part), "{tz:?}: {text}");
        }
        _ => panic!("{tz:?}: {found:?}, expected {expected:?}"),
    }
}

#[test]
fn the_variable_is_read_in_every_form_that_date_reads() {
    let root = Root::localtime("/usr/share/zoneinfo/Asia/Tokyo")
        .link("/usr/share/zoneinfo/localtime", "/etc/localtime")
        .file("/home/anna/zone", zone_file("<+0545>-5:45"))
        .file("/home/anna/text", "Europe/Berlin\n")
        .fifo("/home/anna/fifo");
    for (tz, expected) in [
        (None, Ok("Asia/Tokyo")),
        (Some(""), Ok("UTC")),
        (Some(":"), Ok("UTC")),
        (Some("Europe/Berlin"), Ok("Europe/Berlin")),
        (Some(":Europe/Berlin"), Ok("Europe/Berlin")),
        (Some("posix/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some(":right/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some("../zoneinfo/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some("UTC"), Ok("UTC")),
        (Some("Etc/UTC"), Ok("Etc/UTC")),
        (Some("EST5EDT"), Ok("EST5EDT")),
        (Some("localtime"), Ok("Asia/Tokyo")),
        (Some("/etc/localtime"), Ok("Asia/Tokyo")),
        (Some(":/etc/localtime"), Ok("Asia/Tokyo")),
        (Some("/usr/share/zoneinfo/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some(":/usr/share/zoneinfo/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some("/usr/share/zoneinfo/posix/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some(":/usr/share/zoneinfo-leaps/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some("/nix/store/abc-tzdata-2026a/share/zoneinfo/Europe/Berlin"), Ok("Europe/Berlin")),
        (Some(":/home/anna/zone"), Ok("<+0545>-5:45")),
        (Some(BERLIN), Ok(BERLIN)),
        (Some(":CET-1CEST,M3.5.0,M10.5.0/3"), Ok(BERLIN)),
        (Some("<+03>-3"), Ok("<+03>-3")),
        (Some("UTC0"), Ok("UTC0")),
        (Some("JST-9"), Ok("JST-9")),
        // glibc's default rules are those of the United States.
        (Some("CET-1CEST"), Ok("CET-1CEST,M3.2.0,M11.1.0")),
        (Some("nonsense"), Err("TZ is `nonsense`, which is neither")),
        (Some(":Nonsense/Zone"), Err("TZ is `:Nonsense/Zone`")),
        (Some("Europe/Berlin "), Err("TZ is `Europe/Berlin `")),
        (Some("Etc/Unknown"), Err("neither")),
        (Some("../../../etc/passwd"), Err("neither")),
        (Some("/usr/share/zoneinfo/Nonsense"), Err("neither")),
        (Some("/home/anna/text"), Err("neither")),
        (Some("/home/anna/fifo"), Err("neither")),
        (Some("/home/anna"), Err("neither")),
    ] {
        check(tz, &root, expected);
    }
    let raw = <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"Europe/\xff");
    assert!(detect(Some(raw), root.0.path()).is_err());
}

#[test]
fn the_file_of_the_machine_is_read_as_a_link_and_as_a_copy() {
    let copy = |rule: &str| Root::new().file(LOCALTIME, zone_file(rule));
    let table = "# a table\nDE\t+5230+01322\tEurope/Berlin\tmost\n";
    let database = |root: Root| {
        root.file("/usr/share/zoneinfo/zone1970.tab", table)
            .file("/usr/share/zoneinfo/Europe/Berlin", zone_file(BERLIN))
    };
    let v1 = &zone_file("")[..44 + 10];
    let mut v1 = v1.to_vec();
    v1[4] = 0;
    for (root, expected) in [
        (Root::localtime("/usr/share/zoneinfo/Europe/Berlin"), Ok("Europe/Berlin")),
        (Root::localtime("../usr/share/zoneinfo/Europe/Berlin"), Ok("Europe/Berlin")),
        (Root::localtime("/usr/share/zoneinfo/posix/Europe/Berlin"), Ok("Europe/Berlin")),
        (Root::localtime("../usr/share/zoneinfo/right/Europe/Berlin"), Ok("Europe/Berlin")),
        (Root::localtime("/usr/share/zoneinfo/America/Argentina/Ushuaia"), Ok("America/Argentina/Ushuaia")),
        (Root::localtime("/usr/share/zoneinfo/Etc/GMT+5"), Ok("Etc/GMT+5")),
        // A chain: the first name counts, as the person chose it.
        (
            Root::localtime("mine")
                .link("/etc/mine", "../opt/zone")
                .link("/opt/zone", "/usr/share/zoneinfo/US/Eastern"),
            Ok("US/Eastern"),
        ),
        (
            Root::localtime("/etc/zoneinfo/Europe/Paris")
                .link("/etc/zoneinfo", "/nix/store/tzdata/share/zoneinfo"),
            Ok("Europe/Paris"),
        ),
        (Root::localtime("localtime"), Err("/etc/localtime gives no zone: it links in a circle")),
        (
            Root::localtime("/usr/share/zoneinfo/Nonsense"),
            Err("it links to /usr/share/zoneinfo/Nonsense: No such"),
        ),
        (
            Root::localtime("/usr/share/zoneinfo/localtime")
                .link("/usr/share/zoneinfo/localtime", "/etc/localtime"),
            Err("in a circle"),
        ),
        // A broken link beside a written name.
        (Root::localtime("/usr/share/zoneinfo/Nonsense").file(TIMEZONE, "Asia/Tokyo\n"), Ok("Asia/Tokyo")),
        (Root::new().file(TIMEZONE, "# mine\n\nAsia/Tokyo\n"), Ok("Asia/Tokyo")),
        (Root::new().file(TIMEZONE, "nonsense\n"), Err("/etc/localtime gives no zone: No such file")),
        (Root::new(), Err("/etc/localtime gives no zone: No such file")),
        // The link counts, not what an older tool wrote.
        (
            Root::localtime("/usr/share/zoneinfo/Europe/Berlin").file(TIMEZONE, "Asia/Tokyo\n"),
            Ok("Europe/Berlin"),
        ),
        (copy(BERLIN).file(TIMEZONE, "Europe/Berlin\n"), Ok("Europe/Berlin")),
        (copy(BERLIN).file(TIMEZONE, "Europe/Paris"), Ok("Europe/Paris")),
        (database(copy(BERLIN)), Ok("Europe/Berlin")),
        (database(copy(BERLIN)).file(TIMEZONE, "Asia/Tokyo\n"), Ok("Europe/Berlin")),
        (copy(BERLIN).file(TIMEZONE, "Asia/Tokyo\n"), Ok(BERLIN)),
        (copy(BERLIN), Ok(BERLIN)),
        (database(copy("<+0545>-5:45")), Ok("<+0545>-5:45")),
        (Root::new().file(LOCALTIME, v1), Err("without a name or a rule")),
        (Root::new().file(LOCALTIME, "no zone"), Err("/etc/localtime gives no zone")),
        (Root::new().file(LOCALTIME, ""), Err("/etc/localtime gives no zone")),
        (Root::new().file(LOCALTIME, vec![0; 300_000]), Err("it has more than 262144 bytes, the limit")),
        (Root::new().fifo(LOCALTIME), Err("it is a FIFO, not a regular file")),
        (Root::localtime("/tmp").link("/tmp", "/dev"), Err("/etc/localtime gives no zone")),
        (Root::new().file("/etc/localtime/file", ""), Err("it is a directory, not a regular file")),
        (Root::new().fifo(TIMEZONE), Err("/etc/localtime gives no zone: No such file")),
    ] {
        check(None, &root, expected);
    }
}

//! `dosed add`, `edit` and `remove` on a real file, with editors that are scripts.

use crate::support::{Home, wait_until, write_script};

const SCHEDULE: &str = "# mine\n[[supplement]]\nid = \"a\"\nname = \"Anise\" # white\ntimes = [\"08:00\"]\n";

/// Returns what a command prints with this editor, and its exit code.
fn edit(home: &Home, script: &str) -> (String, String, Option<i32>) {
    let editor = home.path("editor");
    write_script(editor.as_ref(), &format!("#!/bin/sh\n{script}\n"));
    let mut command = home.command(env!("CARGO_BIN_EXE_dosed"));
    let output = command.arg("edit").env_remove("VISUAL").env("EDITOR", &editor).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn written(home: &Home) -> String {
    std::fs::read_to_string(home.schedule_path()).unwrap()
}

#[test]
fn items_come_and_go_by_command() {
    let home = Home::with_schedule(SCHEDULE);
    // Behind a link, as people keep it with their other files.
    let real = home.path("dotfiles.toml");
    std::fs::rename(home.schedule_path(), &real).unwrap();
    std::os::unix::fs::symlink(&real, home.schedule_path()).unwrap();
    let _daemon = home.start();
    let said = home.good(&["add", "Vitamin D", "--dose", "1000 IU", "--at", "8am", "--with", "food"]);
    assert!(said.contains("Vitamin D was added") && said.contains("+ "), "{said}");
    let added = "\n[[supplement]]\nid = \"vitamin-d\"\nname = \"Vitamin D\"\ndose = \"1000 IU\"\ntimes = [\"08:00\"]\nwith = \"food\"\n";
    assert_eq!(std::fs::read_to_string(&real).unwrap(), format!("{SCHEDULE}{added}"));
    assert!(home.schedule_path().symlink_metadata().unwrap().is_symlink());
    // The daemon has read it.
    wait_until("the new item", || home.good(&["next"]).contains("Vitamin D"));
    let said = home.good(&["remove", "vitamin d"]);
    assert!(said.contains("`vitamin-d` was removed"), "{said}");
    assert_eq!(std::fs::read_to_string(&real).unwrap(), SCHEDULE);
    // What is wrong is refused, and nothing is written.
    for (arguments, code) in [
        (&["add", "b", "--dose", "20.000 IU", "--at", "08:00"][..], 78),
        (&["add", "a", "--at", "09:00"], 78),
        (&["add", "b", "--at", "25:00"], 78),
        (&["add", "b"], 2),
        (&["add"], 2),
        (&["remove", "c"], 1),
        // The last one.
        (&["remove", "a"], 78),
    ] {
        assert_eq!(home.bad(arguments).0, code, "{arguments:?}");
    }
    assert_eq!(written(&home), SCHEDULE);
}

#[test]
fn an_edit_is_put_in_place_when_it_is_right() {
    let home = Home::with_schedule(SCHEDULE);
    let (said, _, code) = edit(&home, "sed -i s/08:00/09:00/ \"$1\"");
    assert_eq!(code, Some(0));
    assert!(
        said.contains("was changed") && said.contains("08:00  Anise") && said.contains("09:00  Anise"),
        "{said}"
    );
    assert_eq!(written(&home), SCHEDULE.replace("08:00", "09:00"));
    let now = written(&home);
    let (said, _, code) = edit(&home, "true");
    assert_eq!((said.trim(), code), ("Nothing was changed.", Some(0)));
    let (_, errors, code) = edit(&home, "exit 3");
    assert!(code == Some(1) && errors.contains("nothing was changed"), "{errors}");
    // What is wrong is kept apart.
    let (_, errors, code) = edit(&home, "echo oops >> \"$1\"");
    let copy = errors.split("what you wrote is in ").nth(1).unwrap_or_else(|| panic!("{errors}")).trim();
    assert_eq!((code, std::fs::read_to_string(copy).unwrap()), (Some(1), format!("{now}oops\n")));
    std::fs::remove_dir_all(std::path::Path::new(copy).parent().unwrap()).unwrap();
    // Somebody else was faster.
    let path = home.schedule_path();
    let race = format!("sed -i s/Anise/Basil/ \"$1\"; echo '# theirs' >> {}", path.display());
    let (_, errors, code) = edit(&home, &race);
    assert!(code == Some(1) && errors.contains("changed by something else"), "{errors}");
    assert_eq!(written(&home), format!("{now}# theirs\n"));
}

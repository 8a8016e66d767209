//! What is shown of a schedule that cannot be used.

use super::*;

const WRONG: &str = "[[habit]]\nid = \"nothing\"\nname = \"SecretHabit\" oops\n";

#[test]
#[ignore = "needs dbus-daemon"]
fn a_schedule_that_cannot_be_used_is_told_once_and_taken_down_when_it_can() {
    let mut scene = scene("[[habit]]\nid = \"nothing\"\nas-needed = true\n", &[]);
    let told = |scene: &Scene| {
        let shown = scene.peer.notify();
        assert_eq!((shown.title.as_str(), shown.actions.len()), ("The schedule cannot be used", 0));
        assert!(shown.body.contains("dosed goes on with the plan of ") && shown.body.contains("dosed check"));
        assert!(!shown.body.to_lowercase().contains("habit"), "{}", shown.body);
        shown.body
    };
    scene.home.schedule(WRONG);
    assert!(!told(&scene).contains("quiet hours"));
    // Other mistakes, and a reload, are the same trouble.
    scene.home.schedule(&WRONG.replace("oops", "again"));
    scene.daemon.signal(rustix::process::Signal::HUP);
    scene.home.schedule("[[habit]]\nid = \"nothing\"\nas-needed = true\n");
    assert_eq!(scene.peer.close(), FIRST_NUMBER);
    // At the start too, by a server that comes later.
    scene.kill();
    scene.peer.leave();
    scene.home.schedule(WRONG);
    scene.start();
    scene.home.good(&["status"]);
    scene.peer = scene.bus.peer(USUAL, &[]);
    assert!(told(&scene).contains("Channels and quiet hours are off"));
    scene.home.schedule(ZINC.replace("ZINC", "08:00").as_str());
    assert_eq!(scene.peer.close(), FIRST_NUMBER);
}

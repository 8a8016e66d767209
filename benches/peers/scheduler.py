"""The peer: APScheduler. Each line of the input is "SECOND MINUTE HOUR", a tab and what is shown with
notify-send every day at that time."""

import signal
import subprocess
import sys

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger


def main():
    # By default what is a second late is left out; here all count, however late.
    scheduler = BackgroundScheduler(job_defaults={"misfire_grace_time": None})
    for line in sys.stdin:
        when, text = line.rstrip("\n").split("\t")
        second, minute, hour = when.split()
        trigger = CronTrigger(second=second, minute=minute, hour=hour)
        scheduler.add_job(subprocess.run, trigger, [["notify-send", text]])
    scheduler.start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()

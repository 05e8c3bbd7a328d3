"""Work outside the request: jobs, schedules, workers, and the delivery of events to their consumers."""

from gigacore.jobs.declare import Consumer, Job, Schedule
from gigacore.jobs.oversight import JobState, cancel, retry
from gigacore.jobs.queue import enqueue
from gigacore.jobs.relay import Event
from gigacore.jobs.run import Cancelled, JobRun, Retry, Stopping
from gigacore.jobs.service import Jobs
from gigacore.jobs.tables import core_job, core_schedule

__all__ = [
    "Cancelled",
    "Consumer",
    "Event",
    "Job",
    "JobRun",
    "JobState",
    "Jobs",
    "Retry",
    "Schedule",
    "Stopping",
    "cancel",
    "core_job",
    "core_schedule",
    "enqueue",
    "retry",
]

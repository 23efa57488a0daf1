"""A run every hour in Airflow (2.4 or later), and an audit on Sundays. gorgias-replicate is on the worker's PATH, the connections are in
its environment or in env.yaml, and FILE is the replication file there."""
import subprocess
from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException

FILE = "/etc/gorgias-replicate/mycompany.yaml"


def call(command):
    """Runs a command of gorgias-replicate, its log into the task's; tells Airflow what its exit code means."""
    arguments = ["gorgias-replicate", command, FILE, "--max-duration", "50m", "--progress", "never"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for line in process.stdout:
                print(line, end="")
        except BaseException:   # the task is killed: the run ends in good order
            process.terminate()
            raise
    code = process.returncode
    said = f"{' '.join(arguments)}: exit {code}"
    if code == 5:   # another run does the work
        raise AirflowSkipException(said)
    if code == 2 or (command == "audit" and code == 1):   # stays wrong; or gaps, which a second audit would not find
        raise AirflowFailException(said)
    if code not in (0, 6):
        raise AirflowException(said)


SETTINGS = {"start_date": datetime(2024, 1, 1), "catchup": False, "max_active_runs": 1, "tags": ["gorgias"]}
RETRIES = {"retries": 2, "retry_delay": timedelta(minutes=10), "execution_timeout": timedelta(hours=1)}


@dag(dag_id="gorgias_replicate", schedule="17 * * * *", **SETTINGS)
def replicate():
    task(call, task_id="run", **RETRIES)("run")


@dag(dag_id="gorgias_replicate_audit", schedule="37 3 * * 0", **SETTINGS)
def audit():
    task(call, task_id="audit", **RETRIES)("audit")


replicate()
audit()

"""A worker in the style of presque: fetch a job, work, put it back where that failed."""

import argparse
import json
import time
import urllib.error
import urllib.parse
import urllib.request


class Presque:
    def __init__(self, url, queue, worker):
        self.url = url.rstrip("/")
        self.queue = urllib.parse.quote(queue, safe="")
        self.worker = worker

    def call(self, method, path, body=None):
        """The answer's status and text."""
        request = urllib.request.Request(self.url + path, data=body, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("X-presque-workerid", self.worker)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def register(self):
        self.call("POST", f"/w/{self.queue}")

    def unregister(self):
        self.call("DELETE", f"/w/{self.queue}")

    def fetch(self):
        """The job as it was put; None where there is none."""
        status, job = self.call("GET", f"/q/{self.queue}")
        return job if status == 200 else None

    def put_back(self, job):
        status, answer = self.call("PUT", f"/q/{self.queue}", job)
        if status != 201:
            raise RuntimeError(f"the job could not be put back: {answer}")

    def statistics(self):
        _, answer = self.call("GET", "/w/?worker_id=" + urllib.parse.quote(self.worker))
        return json.loads(answer)


def work(job, failed_before):
    """The work itself. A job that says so fails the first time."""
    content = json.loads(job)
    if not isinstance(content, dict):
        content = {}
    if content.get("fails") and job not in failed_before:
        failed_before.add(job)
        raise ValueError("this job fails once")
    print("done", content.get("n", job), flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", default="http://127.0.0.1:8080/presque")
    options.add_argument("--queue", default="foo")
    options.add_argument("--worker", default="worker-1")
    options.add_argument("--jobs", type=int, default=10, help="end after so many jobs are done")
    given = options.parse_args()

    presque = Presque(given.url, given.queue, given.worker)
    presque.register()
    done, failed_before = 0, set()
    try:
        while done < given.jobs:
            job = presque.fetch()
            if job is None:
                time.sleep(0.1)
                continue
            try:
                work(job, failed_before)
                done += 1
            except ValueError as error:
                print("failed:", error, flush=True)
                presque.put_back(job)
        statistics = presque.statistics()
        print(f"processed {statistics['processed']}, failed {statistics['failed']}", flush=True)
    finally:
        presque.unregister()


if __name__ == "__main__":
    main()

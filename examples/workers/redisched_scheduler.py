"""A scheduler in the style of redisched: reserve what is due, run it, release it; requeue what others left lying."""

import argparse
import json
import time
import urllib.parse
import urllib.request


class Redisched:
    def __init__(self, url, topic):
        self.url = url.rstrip("/")
        self.topic = urllib.parse.quote(topic, safe="")

    def call(self, path, fields):
        body = json.dumps(fields).encode()
        request = urllib.request.Request(self.url + path, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def topic_call(self, operation, **fields):
        return self.call(f"/t/{self.topic}/{operation}", fields)["result"]

    def schedule(self, job_id, contents, delay):
        return self.call(f"/schedule/{self.topic}", {"id": job_id, "contents": contents, "delay": delay})["success"]

    def cancel(self, job_id):
        return self.call(f"/cancel/{self.topic}", {"id": job_id})["success"]


def now_ms():
    return int(time.time() * 1000)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", default="http://127.0.0.1:8080/redisched")
    options.add_argument("--topic", default="mails")
    options.add_argument("--ttr", type=int, default=5000, help="milliseconds that a job may run")
    options.add_argument("--seconds", type=float, default=10, help="end when so long nothing was due")
    options.add_argument("--demo", action="store_true", help="schedule three jobs first, cancel one, and leave one lying")
    given = options.parse_args()

    redisched = Redisched(given.url, given.topic)
    if given.demo:
        for job_id, delay in (("first", 0.3), ("second", 0.6), ("cancelled", 0.9)):
            print("scheduled", job_id, redisched.schedule(job_id, {"to": job_id}, delay), flush=True)
        print("again", redisched.schedule("first", {}, 0), flush=True)
        print("cancel", redisched.cancel("cancelled"), flush=True)
        print("cancel again", redisched.cancel("cancelled"), flush=True)
        redisched.topic_call("put", id="crashed", body={"to": "crashed"}, expiration=now_ms() - 60_000)
        reserved = redisched.topic_call("reserve", max=now_ms(), ttr=500)
        print("left lying", reserved["id"], flush=True)

    last = time.monotonic()
    while time.monotonic() - last < given.seconds:
        requeued = redisched.topic_call("requeue", max=now_ms(), limit=100)
        if requeued:
            print("requeued", requeued, flush=True)
        job = redisched.topic_call("reserve", max=now_ms(), ttr=given.ttr)
        if job is None:
            time.sleep(0.05)
            continue
        last = time.monotonic()
        print("run", job["id"], json.dumps(job["body"]), flush=True)
        if redisched.topic_call("release", id=job["id"]) == 0:
            print("too late", job["id"], flush=True)


if __name__ == "__main__":
    main()

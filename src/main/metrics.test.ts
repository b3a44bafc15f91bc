import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "./metrics.ts";

test("counters, gauges and histograms come out in Prometheus' text, asked for twice or not", async () => {
  const metrics = createMetrics();
  for (let i = 0; i < 2; i++) {
    metrics.counter("sidero_test_total", "Tests.", ["result"]).add({ result: "ok" });
    metrics.histogram("sidero_test_seconds", "Time.", []).observe({}, 0.02);
  }
  metrics.gauge("sidero_test_depth", "Depth.", ["queue"]).set({ queue: "a" }, 7);
  const text = await metrics.text();
  assert.match(text, /^sidero_test_total\{result="ok"\} 2$/m);
  assert.match(text, /^sidero_test_depth\{queue="a"\} 7$/m);
  assert.match(text, /^sidero_test_seconds_bucket\{le="0.05"\} 2$/m);
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
});

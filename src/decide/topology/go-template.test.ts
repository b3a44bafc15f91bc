import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { renderTemplate } from "./go-template.ts";

const data = {
  name: "lab",
  replicas: 3,
  on: true,
  off: false,
  zones: ["a", "b"],
  tags: { y: "2", x: "1" },
  builtin: { cluster: { name: "c", topology: { version: "v1.34.1" } } },
};

describe("a template prints", () => {
  const cases: [template: string, text: string][] = [
    ["plain", "plain"],
    ["{{ .name }}", "lab"],
    ["v={{ .builtin.cluster.topology.version }}!", "v=v1.34.1!"],
    ["{{ if .on }}yes{{ else }}no{{ end }}", "yes"],
    ["{{ if .off }}yes{{ else if eq .replicas 3 }}three{{ else }}no{{ end }}", "three"],
    ["{{ if and .on (not .off) (gt .replicas 2) }}true{{ end }}", "true"],
    ['{{ if or .off (eq .name "a" "lab") }}true{{ end }}', "true"],
    ["{{ range .zones }}[{{ . }}]{{ end }}", "[a][b]"],
    ["{{ range $i, $zone := .zones }}{{ $i }}={{ $zone }},{{ end }}", "0=a,1=b,"],
    ["{{ range $key, $value := .tags }}{{ $key }}{{ $value }} {{ end }}", "x1 y2 "],
    ["{{ with .builtin.cluster }}{{ .name }}/{{ $.name }}{{ end }}", "c/lab"],
    ['{{ $x := .name | upper }}{{ $x | printf "%s-%d" | quote }}', '"LAB-<nil>"'],
    ['{{ printf "%s-%v" .name .replicas }}', "lab-3"],
    ['{{ .name | replace "l" "b" | trimPrefix "b" | default "none" }}', "ab"],
    ["a\n  {{- /* gone */ -}}\n  b", "ab"],
    ["x {{- 1 -}} y", "x1y"],
    ["{{ index .zones 1 }}{{ len .zones }}{{ `raw\\n` }}", "b2raw\\n"],
    ["{{ .tags | toJson }}", '{"y":"2","x":"1"}'],
  ];
  for (const [template, text] of cases) test(template, () => assert.equal(renderTemplate(template, data), text));
});

describe("a template is refused", () => {
  const cases: [template: string, why: RegExp][] = [
    ["{{ .nothing }}", /map has no entry for key "nothing"/],
    ["{{ .name.deeper }}", /no entry for key "deeper"/],
    ["{{ env .name }}", /function "env" is not known/],
    ["{{ if .on }}", /without {{end}}/],
    ["{{ end }}", /unexpected {{end}}/],
    ["{{ .name", /unclosed action/],
    ["{{ (.name }}", /unclosed parenthesis/],
    ["{{ $x }}", /variable \$x is not known/],
    ["{{ lt .name 3 }}", /cannot be compared/],
    ['{{ template "x" }}', /{{template}} is not known/],
  ];
  for (const [template, why] of cases)
    test(template, () =>
      assert.throws(
        () => renderTemplate(template, data),
        (error) => Fault.is(error, "topology.template") && why.test(error.message),
      ),
    );
});

test("whatever it is, it prints or is refused", () => {
  const part = fc.constantFrom(
    "{{",
    "}}",
    "if ",
    "range ",
    "end",
    "else",
    ".a",
    "$x",
    ":=",
    "|",
    "(",
    ")",
    '"s"',
    " 1 ",
    "eq ",
    "text",
    "-",
    "with ",
  );
  const run = fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
    try {
      assert.equal(typeof renderTemplate(parts.join(""), { a: [1, { a: "b" }] }), "string");
    } catch (error) {
      assert.ok(Fault.is(error, "topology.template"), String(error));
    }
  });
  fc.assert(run, { numRuns: 2000 });
});

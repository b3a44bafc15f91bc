import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, WIDGETS, configMap, widget } from "./kinds.ts";

const BOTH = [WIDGETS, CONFIGMAPS];
const MEBI = 1024 * 1024;

const MALFORMED: readonly [string, string | Uint8Array][] = [
  ["nothing", ""],
  ["blanks", "   "],
  ["half an object", '{"apiVersion":'],
  ["text", "hello"],
  ["a trailing comma", '{"a":1,}'],
  ["single quotes", "{'a':1}"],
  ["two documents", "{}{}"],
  ["something behind", '{"apiVersion":"v1","kind":"ConfigMap"} x'],
  ["an array", "[]"],
  ["a number", "5"],
  ["null", "null"],
  ["a string", '"x"'],
  ["a comment", '{"a":1 /* x */}'],
  ["NaN", '{"apiVersion":"v1","kind":"ConfigMap","x":NaN}'],
  ["a control character", '{"apiVersion":"v1","kind":"Config\u0001Map"}'],
  ["an escape that is none", '{"a":"\\x"}'],
  ["a lone surrogate", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\\ud800"}}'],
  ["a byte order mark", "\ufeff{}"],
  ["UTF-16", Buffer.from("{}", "utf16le")],
  ["gzip", Buffer.from("1f8b0800000000000003abae0500 43bfa6a302000000".replaceAll(" ", ""), "hex")],
  ["protobuf magic", Buffer.from("6b3873000a0a0a02763112", "hex")],
];

const INVALID_UTF8 = Buffer.concat([
  Buffer.from('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"u"},"data":{"a":"'),
  Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
  Buffer.from('"}}'),
]);

/** `runtime.Unknown` in hexadecimal: type v1 ConfigMap, then the object. */
const CONFIG_MAP_ENVELOPE = "6b387300 0a0f 0a027631 1209436f6e6669674d6170";
const PROTOBUF = [
  "",
  "78",
  "6b387300",
  "6b387300 ff",
  "6b387300 0a0f 0a027631",
  "6b387300 0a0c 0a027631 1206536563726574 12020a00",
  "6b387300 0a0b 0a027631 12054e6f646573 12020a00",
  CONFIG_MAP_ENVELOPE,
  `${CONFIG_MAP_ENVELOPE} 1200`,
  // A name, data a=b, and a field nobody knows.
  `${CONFIG_MAP_ENVELOPE} 1214 0a04 0a027062 1206 0a0161 120162 f8010a 9a060161`,
  // The same name as a number; data that is cut off; a group.
  `${CONFIG_MAP_ENVELOPE} 1206 0a04 0805 1200`,
  `${CONFIG_MAP_ENVELOPE} 120a 0a04 0a027063 1209 0a01`,
  `${CONFIG_MAP_ENVELOPE} 1207 0a04 0a027064 13`,
];

const PATHS = [
  "/",
  "/api/",
  "/nonsense",
  "/api/v1/nonsense",
  "/api/v1/namespaces/$ns/nonsense",
  "/api/v1/namespaces/$ns/nonsense/x",
  `/apis/${GROUP}/v1/namespaces/$ns/nonsense`,
  `/apis/${GROUP}/v9/widgets`,
  "/apis/none.test/v1/things",
  "/api/v1/namespaces/$ns/configmaps/a/b",
  "/api/v1/namespaces/$ns/configmaps/a/status",
  "/api/v1/namespaces//configmaps",
  "/api/v1//namespaces",
  "/api/v1/namespaces/$ns/configmaps/%2e%2e",
  "/api/v1/namespaces/$ns/configmaps/a%2Fb",
  "/api/v1/namespaces/$ns/configmaps/%00",
  "/api/v1/namespaces/$ns/configmaps/%ff",
  "/api/v1/namespaces/$ns/configmaps/..",
  "/api/v1/namespaces/$ns/configmaps/.",
  `/api/v1/namespaces/$ns/configmaps/${"x".repeat(2_000)}`,
  "/api/v1/namespaces/UPPER",
  "/api/v1/namespaces/$ns/",
  "/api/v1/namespaces/$ns/configmaps/",
  `/apis/${GROUP}/v1/namespaces/$ns/widgets/a/b`,
  `/apis/${GROUP}/v1/namespaces/$ns/widgets/a/nonsense`,
  `/apis/${GROUP}/v1/namespaces/$ns/widgets/`,
  `/apis/${GROUP}/v1/namespaces/$ns`,
  "/apis/apps/v1/deployments",
  "/api/v1/proxy/x",
  "/api/v1/configmaps/x",
];

function nested(open: string, close: string, depth: number): string {
  return open.repeat(depth) + close.repeat(depth);
}

function deep(depth: number): string {
  return `{"apiVersion":"${GROUP}/v1","kind":"Gadget","metadata":{"name":"$ns"},"spec":{"a":${nested("[", "]", depth)}}}`;
}

/** Only what kind of answer it is: the words around a limit are the server's own. */
const verdict = (step: Step): Step => ({ ...step, view: (body) => (body as { reason?: unknown }).reason ?? "accepted" });

export const badInput: readonly Case[] = [
  ...MALFORMED.map(([name, body]) => ({
    name: `malformed: ${name}`,
    steps: BOTH.map((path) => ({ call: `POST ${path}`, body })),
  })),
  {
    name: "malformed: nothing, on update",
    steps: BOTH.flatMap((path) => ["", "{", "[]"].map((body) => ({ call: `PUT ${path}/x`, body }))),
  },
  { name: "malformed: UTF-8 that is none", steps: [{ call: `POST ${CONFIGMAPS}`, body: INVALID_UTF8 }] },
  {
    name: "malformed: UTF-8 that is none, custom resource",
    steps: [
      {
        call: `POST ${WIDGETS}`,
        body: Buffer.concat([
          Buffer.from(`{"apiVersion":"${GROUP}/v1","kind":"Widget","metadata":{"name":"u"},"spec":{"color":"red","maybe":"`),
          Buffer.from([0xff, 0xfe]),
          Buffer.from('"}}'),
        ]),
      },
    ],
  },
  {
    name: "content types that are not taken",
    steps: [
      "text/plain",
      "application/xml",
      "application/x-www-form-urlencoded",
      "nonsense",
      "application/vnd.kubernetes.protobuf",
      "multipart/form-data; boundary=x",
    ]
      .flatMap((type) => BOTH.map((path) => ({ call: `POST ${path}`, type, body: "x" })))
      .filter(({ call, type }) => !(call.includes("configmaps") && type.includes("protobuf"))),
  },
  {
    name: "protobuf that is none, and some that is",
    steps: PROTOBUF.map((hex) => ({
      call: `POST ${CONFIGMAPS}`,
      type: "application/vnd.kubernetes.protobuf",
      body: Buffer.from(hex.replaceAll(" ", ""), "hex"),
    })),
  },
  {
    name: "content types that are",
    steps: ["application/json; charset=utf-8", "application/json;charset=UTF-16", "APPLICATION/JSON", ""].map((type, i) => ({
      call: `POST ${WIDGETS}`,
      type,
      body: widget(`w${i}`),
    })),
  },
  {
    name: "a body that is too large",
    steps: [
      verdict({ call: `POST ${CONFIGMAPS}`, body: configMap("big", { a: "x".repeat(4 * MEBI) }) }),
      verdict({ call: `POST ${WIDGETS}`, body: widget("big", { color: "red", any: "x".repeat(4 * MEBI) }) }),
    ],
  },
  {
    name: "a body that is large enough to be refused by the store only",
    steps: [
      verdict({
        call: `POST ${GADGETS}`,
        body: `{"apiVersion":"${GROUP}/v1","kind":"Gadget","metadata":{"name":"$ns"},"spec":{"a":"${"x".repeat(1.2 * MEBI)}"}}`,
      }),
    ],
  },
  ...[100, 5_000, 20_000].map((depth) => ({
    name: `a body ${depth} deep`,
    steps: [verdict({ call: `POST ${GADGETS}`, body: deep(depth) })],
  })),
  {
    name: "a body of very many keys",
    steps: [
      verdict({
        call: `POST ${GADGETS}`,
        body: {
          apiVersion: `${GROUP}/v1`,
          kind: "Gadget",
          metadata: { name: "$ns" },
          spec: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
        },
      }),
    ],
  },
  {
    name: "YAML: a billion laughs",
    steps: [
      verdict({
        call: `POST ${GADGETS}`,
        type: "application/yaml",
        body: [
          "a: &a [x,x,x,x,x,x,x,x,x]",
          ..."bcdefgh"
            .split("")
            .map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefgh"[i]}`).join(",")}]`),
        ].join("\n"),
      }),
    ],
  },
  {
    name: "YAML: deep",
    steps: [verdict({ call: `POST ${GADGETS}`, type: "application/yaml", body: `a: ${nested("[", "]", 20_000)}` })],
  },
  ...PATHS.map((path) => ({
    name: `path: ${path.slice(0, 60)}`,
    steps: [{ call: `GET ${path}`, ...(path.includes("//") ? { only: ["kind"] } : {}) }],
  })),
  {
    name: "path: a query that cannot be decoded",
    steps: [
      { call: `GET ${CONFIGMAPS}?labelSelector=%zz` },
      { call: `GET ${CONFIGMAPS}?limit=%` },
      { call: `GET ${CONFIGMAPS}?a;b` },
    ],
  },
  {
    name: "values that are quoted in what is said of them",
    steps: ["%07", "%22%5C", "%E2%80%8B", "%F0%9F%98%80", "%C2%A0x%7F"].flatMap((value) => [
      { call: `GET ${CONFIGMAPS}?limit=${value}` },
      { call: `GET ${CONFIGMAPS}?resourceVersion=${value}` },
      { call: `GET ${CONFIGMAPS}?watch=1&resourceVersion=${value}` },
      { call: `GET ${CONFIGMAPS}?labelSelector=a%3D${value}` },
      { call: `GET ${WIDGETS}?fieldSelector=${value}%3D1` },
      { call: `POST ${WIDGETS}?fieldValidation=${value}`, body: widget("x") },
      { call: `POST ${WIDGETS}?fieldManager=${value}`, body: widget("x") },
      { call: `GET ${CONFIGMAPS}/${value}` },
      { call: `POST ${WIDGETS}`, body: widget(decodeURIComponent(value), { color: decodeURIComponent(value) }) },
      {
        call: `POST ${CONFIGMAPS}`,
        body: configMap("q", { [decodeURIComponent(value)]: "x" }, { labels: { a: decodeURIComponent(value) } }),
      },
    ]),
  },
  {
    name: "methods that are not",
    steps: [
      { call: `PUT ${WIDGETS}`, body: widget("x") },
      { call: `PATCH ${CONFIGMAPS}`, type: "application/merge-patch+json", body: {} },
      { call: `OPTIONS ${CONFIGMAPS}` },
      { call: `TRACE ${CONFIGMAPS}/x` },
      { call: `PROPFIND ${CONFIGMAPS}` },
    ],
  },
  {
    name: "HEAD",
    steps: [{ call: `HEAD ${CONFIGMAPS}/none` }, { call: `HEAD ${CONFIGMAPS}` }, { call: `HEAD ${WIDGETS}/none` }],
  },
  {
    name: "a token that is wrong",
    steps: [{ call: "GET /api/v1/namespaces", headers: { authorization: "Bearer wrong" } }],
  },
];

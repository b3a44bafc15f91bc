/**
 * The bytes are put together by hand from the encoding's rules (tag = number << 3 | wire type) and the numbers of Talos, not by any
 * generated code: a number that is wrong in the .proto is wrong here.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, isFieldSet, toBinary } from "@bufbuild/protobuf";
import { Code, ErrorSchema } from "#proto/siderolink/error_pb.js";
import { AnySchema, EventRequestSchema, EventResponseSchema, EventSinkService } from "#proto/siderolink/events_pb.js";
import * as machine from "#proto/siderolink/machine_events_pb.js";
import { ProvisionRequestSchema, ProvisionResponseSchema, ProvisionService } from "#proto/siderolink/provision_pb.js";
import { PeerPacketSchema, WireGuardOverGRPCService } from "#proto/siderolink/wireguard_pb.js";
import { concat, toHex } from "#std/bytes.ts";

/** A length-delimited field (wire type 2) shorter than 128 bytes. */
function field(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return concat([Uint8Array.of((number << 3) | 2, bytes.length), bytes]);
}

/** A field of wire type 0, below 128. */
function varint(number: number, value: number): Uint8Array {
  return Uint8Array.of(number << 3, value);
}

function is<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>, ...fields: readonly Uint8Array[]): void {
  const bytes = concat(fields);
  assert.equal(toHex(toBinary(schema, create(schema, init))), toHex(bytes), schema.typeName);
  assert.deepEqual(fromBinary(schema, bytes), create(schema, init), schema.typeName);
}

test("provisioning", () => {
  is(
    ProvisionRequestSchema,
    { nodeUuid: "u", nodePublicKey: "k", joinToken: "j", nodeUniqueToken: "n", talosVersion: "v1", wireguardOverGrpc: true },
    field(1, "u"),
    field(2, "k"),
    field(3, "j"),
    field(4, "n"),
    field(5, "v1"),
    varint(6, 1),
  );
  is(
    ProvisionResponseSchema,
    { serverEndpoint: ["a:1", "b:2"], serverPublicKey: "k", nodeAddressPrefix: "p", serverAddress: "s", grpcPeerAddrPort: "g" },
    field(1, "a:1"),
    field(1, "b:2"),
    field(3, "k"),
    field(4, "p"),
    field(5, "s"),
    field(6, "g"),
  );
});

test("what is optional in a request is told apart from what is empty", () => {
  const said = fromBinary(ProvisionRequestSchema, concat([field(1, "u"), field(3, ""), varint(6, 0)]));
  const fields = ["joinToken", "nodeUniqueToken", "talosVersion", "wireguardOverGrpc"] as const;
  assert.deepEqual(
    fields.map((name) => isFieldSet(said, ProvisionRequestSchema.field[name])),
    [true, false, false, true],
  );
});

test("the names of services and methods, which are the paths of HTTP/2", () => {
  const paths = [ProvisionService, WireGuardOverGRPCService, EventSinkService].flatMap((service) =>
    service.methods.map((method) => `/${service.typeName}/${method.name} ${method.methodKind}`),
  );
  assert.deepEqual(paths, [
    "/sidero.link.ProvisionService/Provision unary",
    "/sidero.link.WireGuardOverGRPCService/CreateStream bidi_streaming",
    "/events.EventSinkService/Publish unary",
  ]);
});

test("packets and the envelope of events", () => {
  is(PeerPacketSchema, { Data: Uint8Array.of(1, 0, 0, 0) }, field(2, Uint8Array.of(1, 0, 0, 0)));
  const any = concat([field(1, "type.googleapis.com/machine.TaskEvent"), field(2, Uint8Array.of(9))]);
  const data = create(AnySchema, { typeUrl: "type.googleapis.com/machine.TaskEvent", value: Uint8Array.of(9) });
  is(EventRequestSchema, { data, id: "i", actorId: "a" }, field(1, any), field(2, "i"), field(3, "a"));
  is(EventResponseSchema, {});
});

test("events", () => {
  is(machine.AddressEventSchema, { hostname: "h", addresses: ["a", "b"] }, field(1, "h"), field(2, "a"), field(2, "b"));
  is(machine.ConfigValidationErrorEventSchema, { error: "e" }, field(1, "e"));
  is(machine.ConfigLoadErrorEventSchema, { error: "e" }, field(1, "e"));
  is(machine.PhaseEventSchema, { phase: "install", action: machine.PhaseEvent_Action.STOP }, field(1, "install"), varint(2, 1));
  is(machine.PhaseEventSchema, { phase: "install", action: machine.PhaseEvent_Action.START }, field(1, "install"));
  is(machine.TaskEventSchema, { task: "t", action: machine.TaskEvent_Action.STOP }, field(1, "t"), varint(2, 1));
  const error = concat([varint(1, 2), field(2, "m")]);
  is(ErrorSchema, { code: Code.CANCELED, message: "m" }, error);
  is(
    machine.SequenceEventSchema,
    { sequence: "boot", action: machine.SequenceEvent_Action.START },
    field(1, "boot"),
    varint(2, 1),
  );
  is(
    machine.SequenceEventSchema,
    { sequence: "install", error: create(ErrorSchema, { code: Code.CANCELED, message: "m" }) },
    field(1, "install"),
    field(3, error),
  );
  is(
    machine.ServiceStateEventSchema,
    { service: "etcd", action: machine.ServiceStateEvent_Action.STARTING, message: "m" },
    field(1, "etcd"),
    varint(2, 8),
    field(3, "m"),
  );
});

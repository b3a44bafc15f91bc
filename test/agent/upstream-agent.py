"""Upstream's agent as far as its calls go: messages written by hand from upstream's field numbers, sent by gRPC's C++ implementation.

upstream-agent.py ADDRESS [TOKEN] reads a list of [method, request] from standard input, JSON, and writes one [code, details, response] each.
A request is a list of [field number, value]; a value is a string, a number, {"double": x}, {"hex": bytes} or a list that is a message.
A response is a list of [field number, wire type, value].
"""
import json
import struct
import sys

import grpc


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(fields):
    out = b""
    for number, value in fields:
        if isinstance(value, bool) or isinstance(value, int):
            out += varint(number << 3) + varint(int(value))
        elif isinstance(value, dict) and "double" in value:
            out += varint(number << 3 | 1) + struct.pack("<d", value["double"])
        else:
            if isinstance(value, list):
                value = encode(value)
            elif isinstance(value, dict):
                value = bytes.fromhex(value["hex"])
            else:
                value = value.encode()
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def decode(data):
    fields, at = [], 0

    def number():
        nonlocal at
        result = shift = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    while at < len(data):
        tag = number()
        kind = tag & 7
        if kind == 0:
            value = number()
        elif kind == 1:
            value = struct.unpack_from("<d", data, at)[0]
            at += 8
        elif kind == 2:
            length = number()
            value = data[at : at + length].decode()
            at += length
        else:
            raise ValueError(f"wire type {kind}")
        fields.append([tag >> 3, kind, value])
    return fields


metadata = [("authorization", f"Bearer {sys.argv[2]}")] if len(sys.argv) > 2 else []
answers = []
with grpc.insecure_channel(sys.argv[1]) as channel:
    for method, request in json.load(sys.stdin):
        data = bytes.fromhex(request["hex"]) if isinstance(request, dict) else encode(request)
        call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
        try:
            answers.append(["OK", "", decode(call(data, timeout=20, metadata=metadata))])
        except grpc.RpcError as error:
            answers.append([error.code().name, error.details(), []])
json.dump(answers, sys.stdout)

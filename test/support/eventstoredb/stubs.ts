import { createRequire } from "node:module";
import type { IGossipServer } from "@eventstore/db-client/generated/gossip_grpc_pb.js";
import gossipGrpc from "@eventstore/db-client/generated/gossip_grpc_pb.js";
import gossip from "@eventstore/db-client/generated/gossip_pb.js";
import type { IServerFeaturesServer } from "@eventstore/db-client/generated/serverfeatures_grpc_pb.js";
import featuresGrpc from "@eventstore/db-client/generated/serverfeatures_grpc_pb.js";
import features from "@eventstore/db-client/generated/serverfeatures_pb.js";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import statusPb from "@eventstore/db-client/generated/status_pb.js";
import type { IStreamsServer } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import streamsGrpc from "@eventstore/db-client/generated/streams_grpc_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";

/**
 * The definitions that the client package ships, and the gRPC library they are bound to: that copy, no other. Only the
 * child process may load this file: two users of the stubs in one process get into each other's way.
 */
const ofTheClient = createRequire(import.meta.resolve("@eventstore/db-client"));

export interface Metadata {
  get(key: string): unknown[];
  set(key: string, value: string): void;
}

interface GrpcServer {
  addService(service: unknown, implementation: object): void;
  bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
  drain(address: string, graceMs: number): void;
  forceShutdown(): void;
}

export const grpc = ofTheClient("@grpc/grpc-js") as {
  Server: new (options?: object) => GrpcServer;
  ServerCredentials: {
    createInsecure(): unknown;
    createSsl(ca: Buffer | null, pairs: { private_key: Buffer; cert_chain: Buffer }[]): unknown;
  };
  Metadata: new () => Metadata;
  status: Record<"NOT_FOUND" | "UNAVAILABLE" | "UNKNOWN" | "UNAUTHENTICATED" | "CANCELLED", number>;
};

export const { Any } = ofTheClient("google-protobuf/google/protobuf/any_pb.js") as {
  Any: new () => NonNullable<ReturnType<statusPb.Status["getDetails"]>>;
};

export type ReadCall = Parameters<IStreamsServer["read"]>[0];
export type BatchCall = Parameters<IStreamsServer["batchAppend"]>[0];
export type AppendCall = Parameters<IStreamsServer["append"]>[0];
export type AppendDone = Parameters<IStreamsServer["append"]>[1];
export type { GrpcServer, IGossipServer, IServerFeaturesServer, IStreamsServer };
export { features, featuresGrpc, gossip, gossipGrpc, shared, statusPb, streams, streamsGrpc };

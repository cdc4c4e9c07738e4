import { connect } from "../engines/redis.ts";

export const open = (url: string): unknown => connect(url);

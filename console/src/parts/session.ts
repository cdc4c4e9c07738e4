import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Scope } from "../api/answers.ts";
import type { Api } from "../api/client.ts";
import { may } from "../model/access.ts";

/** Who looks: the API with their key, and what it may do. */
export interface Session {
  readonly api: Api;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  may(...scopes: Scope[]): boolean;
}

export const sessionOf = (api: Api, keyId: string, scopes: readonly Scope[]): Session => ({
  ...{ api, keyId, scopes },
  may: (...needed) => may(scopes, needed),
});

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("pages are shown within a session");
  return session;
}

const storedAs = "proximal.key";

/** The key lives as long as the tab. It is in no address, no cookie that other pages get, and nowhere on the page. */
export const keptKey = {
  read: (): string | null => sessionStorage.getItem(storedAs),
  write: (key: string): void => sessionStorage.setItem(storedAs, key),
  forget: (): void => sessionStorage.removeItem(storedAs),
};

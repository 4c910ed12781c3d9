import { useEffect, useState } from "preact/hooks";
import { errorCode } from "../../client/index.ts";
import { restoreSession, type Session, signInFromAddress, signOut } from "../session.ts";
import { unlockSound } from "../sound.ts";
import { errorText } from "../text.ts";
import { Home } from "./home.tsx";
import { SignIn } from "./sign-in.tsx";

type State =
  | { readonly kind: "restoring" }
  | { readonly kind: "signed_out"; readonly error: string | null }
  | { readonly kind: "signed_in"; readonly session: Session };

export function App() {
  const [state, setState] = useState<State>({ kind: "restoring" });
  const enter = (session: Session) => setState({ kind: "signed_in", session });

  useEffect(() => {
    void restore().then(setState);
    addEventListener("pointerdown", unlockSound);
    addEventListener("keydown", unlockSound);
  }, []);

  switch (state.kind) {
    case "restoring":
      return null;
    case "signed_out":
      return <SignIn error={state.error} onSignedIn={enter} />;
    case "signed_in": {
      const leave = () => {
        signOut();
        setState({ kind: "signed_out", error: null });
      };
      return <Home key={state.session.deviceId} session={state.session} onSignOut={leave} />;
    }
  }
}

async function restore(): Promise<State> {
  try {
    const session = (await restoreSession()) ?? (await signInFromAddress());
    return session ? { kind: "signed_in", session } : { kind: "signed_out", error: null };
  } catch (error) {
    return { kind: "signed_out", error: errorText(errorCode(error)) };
  }
}

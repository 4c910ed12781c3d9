import type { TargetedSubmitEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { errorCode } from "../../client/index.ts";
import { DisplayName } from "../../schema/http.ts";
import { MAX_NAME } from "../../schema/limits.ts";
import { type Account, knownAccounts, type Session, signIn } from "../session.ts";
import { errorText } from "../text.ts";
import { Avatar } from "./avatar.tsx";
import { Brand } from "./brand.tsx";

interface SignInProps {
  readonly error: string | null;
  readonly onSignedIn: (session: Session) => void;
}

export function SignIn({ error: initialError, onSignedIn }: SignInProps) {
  const [error, setError] = useState(initialError);
  const [isBusy, setBusy] = useState(false);
  const [name, setName] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const accounts = knownAccounts();

  const enter = async (as: string, userId?: string) => {
    const parsed = DisplayName.safeParse(as);
    if (!parsed.success) {
      setError("Type a name that others will know you by.");
      field.current?.focus();
      return;
    }
    setBusy(true);
    try {
      onSignedIn(await signIn(parsed.data, userId));
    } catch (failure) {
      setError(errorCode(failure) === "not_found" ? NO_DEMO : errorText(errorCode(failure)));
      setBusy(false);
    }
  };

  const submit = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    void enter(name);
  };

  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <Brand />
        <h1>Calls that ring everywhere</h1>
        <p class="lead">Choose a name, then open another window and be somebody else. Any window can call any other.</p>
        <form onSubmit={submit} noValidate>
          <label for="name">Your name</label>
          <input
            id="name"
            name="name"
            type="text"
            autocomplete="nickname"
            ref={field}
            maxLength={MAX_NAME}
            value={name}
            aria-invalid={error !== null}
            aria-describedby="sign-in-error"
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <p id="sign-in-error" class="field-error" role="alert">
            {error}
          </p>
          <button type="submit" class="primary" disabled={isBusy}>
            Continue
          </button>
        </form>
        {accounts.length > 0 && <Accounts accounts={accounts} isBusy={isBusy} onChoose={enter} />}
      </div>
    </main>
  );
}

const NO_DEMO = "This server does not hand out sign-ins for the demo.";

interface AccountsProps {
  readonly accounts: readonly Account[];
  readonly isBusy: boolean;
  readonly onChoose: (name: string, userId: string) => void;
}

/** Who was here before, in any window of this browser. */
function Accounts({ accounts, isBusy, onChoose }: AccountsProps) {
  return (
    <section class="accounts" aria-labelledby="accounts-title">
      <h2 id="accounts-title">Or go on as</h2>
      <ul>
        {accounts.map(({ userId, name }) => (
          <li key={userId}>
            <button type="button" class="account" disabled={isBusy} onClick={() => onChoose(name, userId)}>
              <Avatar userId={userId} name={name} size="small" />
              <span>{name}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

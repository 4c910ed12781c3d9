import type { Connection } from "../hooks/use-connection.ts";

interface ConnectionBannerProps {
  readonly connection: Connection;
  readonly onConnect: () => void;
}

export function ConnectionBanner({ connection, onConnect }: ConnectionBannerProps) {
  const text = bannerText(connection);
  return (
    <div class="banner" role="status" data-shown={text !== null}>
      {text !== null && (
        <>
          {connection === "lost" && <span class="spinner" aria-hidden="true" />}
          <span>{text}</span>
          {connection !== "lost" && (
            <button type="button" class="banner-action" onClick={onConnect}>
              Use it here
            </button>
          )}
        </>
      )}
    </div>
  );
}

function bannerText(connection: Connection): string | null {
  switch (connection) {
    case "open":
    case "closed":
      return null;
    case "lost":
      return "Reconnecting. Calls will reach you as soon as we are back.";
    case "replaced":
      return "Another window took over this device.";
    case "removed":
      return "This device was removed from your account.";
  }
}

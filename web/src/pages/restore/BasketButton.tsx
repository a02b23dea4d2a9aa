import { Button, CounterBadge } from "@fluentui/react-components";
import { CartRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { addTexts, useTexts } from "../../texts";
import { countOf } from "./basket";
import { useBaskets } from "./useBasket";

// The shell shows it before the texts of the area are loaded.
addTexts("basket", { open_one: "Restore basket: {{count}} thing", open_other: "Restore basket: {{count}} things" });

/** How much lies in the basket, and the way to restore it. Nothing while it is empty. */
export function BasketButton() {
  const t = useTexts("basket");
  const navigate = useNavigate();
  const count = countOf(useBaskets());
  if (count === 0) return null;
  const label = t("open", { count });
  return (
    <Button
      appearance="subtle"
      icon={<CartRegular />}
      aria-label={label}
      title={label}
      onClick={() => void navigate({ to: "/restore/new" as string })}
    >
      <CounterBadge count={count} size="small" color="brand" />
    </Button>
  );
}

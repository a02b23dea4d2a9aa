import { Button, CounterBadge } from "@fluentui/react-components";
import { CartRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useTexts } from "../../texts";
import { countOf } from "./basket";
import { useBaskets } from "./useBasket";

/** How much lies in the basket, and the way to restore it. Nothing while it is empty. */
export function BasketButton() {
  const t = useTexts();
  const navigate = useNavigate();
  const count = countOf(useBaskets());
  if (count === 0) return null;
  const label = t("basket", { count });
  return (
    <Button
      appearance="subtle"
      icon={<CartRegular />}
      aria-label={label}
      title={label}
      onClick={() => void navigate({ to: "/restore/new" })}
    >
      <CounterBadge count={count} size="small" color="brand" />
    </Button>
  );
}

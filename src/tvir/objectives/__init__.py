"""Mathematics without networks: bounds, adversarial losses, penalties, divergences."""

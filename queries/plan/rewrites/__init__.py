"""The nearest question that is answered, offered beside a refusal as SQL that runs."""

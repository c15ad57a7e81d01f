"""Whether a phone number in a record is one of some country."""


def possible_phone(written: str) -> bool:
    """Whether it is written internationally ("+" and country code) with a length that country knows."""
    import phonenumbers  # its tables cost start-up time, and only loading a shop asks

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(written))
    except phonenumbers.NumberParseException:
        return False

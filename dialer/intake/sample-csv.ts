/** A file as it should be, to begin with: spec F.7, with numbers that belong to nobody. */
export const SAMPLE_CSV = `UniqueIdentifier,FirstName,LastName,MobilePhoneNumber,HomePhoneNumber,State,PostalCode,TimeZone,Priority,AccountId,Balance
C-100,Ada,Roy,+12025550143,,WA,98101,America/Los_Angeles,10,,120.50
C-101,Ben,Roy,+12025550144,+12025550145,WA,98101,America/Los_Angeles,10,,120.50
C-200,Cy,Lund,,+46850551000,,11122,Europe/Stockholm,5,,80.00
`;
